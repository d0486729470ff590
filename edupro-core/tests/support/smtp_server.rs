//! A mail server for tests, on a free port of this machine: real SMTP, with or without TLS, that
//! keeps what it takes and can be told to misbehave. Other crates' tests take this file by
//! `#[path = "…"] mod smtp_server;`.

#![allow(dead_code, reason = "no test uses all of this, and each another part")]

use std::{
    error::Error,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::{TlsAcceptor, rustls};

/// Whether the server speaks TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all.
    None,
    /// When the client asks for it.
    StartTls,
    /// From the first byte.
    Implicit,
}

/// What the server does with those who call it. It can be changed while the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Whether it speaks TLS.
    pub(crate) encryption: Encryption,
    /// The account it insists on; needs TLS.
    pub(crate) account: Option<(&'static str, &'static str)>,
    /// The command after which it falls silent; `connect` is the call itself.
    pub(crate) silent_at: Option<&'static str>,
    /// Its answer to the call, instead of 220.
    pub(crate) greeting: Option<u16>,
    /// Its answer to `MAIL`.
    pub(crate) mail: u16,
    /// Its answer to `RCPT`.
    pub(crate) recipient: u16,
    /// Somebody whom it does not know, whatever it answers for others.
    pub(crate) stranger: Option<&'static str>,
    /// Its answer to the mail's end.
    pub(crate) end: u16,
}

impl Script {
    /// Takes everything.
    pub(crate) fn new(encryption: Encryption) -> Self {
        Self {
            encryption,
            account: None,
            silent_at: None,
            greeting: None,
            mail: 250,
            recipient: 250,
            stranger: None,
            end: 250,
        }
    }
}

/// A mail that the server took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    /// The envelope's sender.
    pub(crate) from: String,
    /// The envelope's recipients.
    pub(crate) to: Vec<String>,
    /// All of it, headers first.
    pub(crate) text: String,
    /// Whether it came by TLS.
    pub(crate) encrypted: bool,
    /// The account that sent it.
    pub(crate) account: Option<String>,
}

impl Mail {
    /// A header's value, as it came, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        head.replace("\r\n ", " ").lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    }
}

/// The server. It stops when it is dropped, and everybody who called it is hung up on.
#[derive(Debug)]
pub(crate) struct SmtpServer {
    port: u16,
    ca_pem: Vec<u8>,
    script: Arc<Mutex<Script>>,
    mails: Arc<Mutex<Vec<Mail>>>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts one. Its certificate is for `localhost` only, not for `127.0.0.1`.
    pub(crate) async fn start(script: Script) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (ca_pem, acceptor) = certificates()?;
        let script = Arc::new(Mutex::new(script));
        let mails = Arc::default();
        let (scripts, kept) = (Arc::clone(&script), Arc::clone(&mails));
        let task = tokio::spawn(async move {
            let mut calls = JoinSet::new();
            while let Ok((stream, peer)) = listener.accept().await {
                let script = lock(&scripts).clone();
                calls.spawn(serve(stream, peer.ip(), script, acceptor.clone(), Arc::clone(&kept)));
            }
        });
        Ok(Self { port, ca_pem, script, mails, task })
    }

    /// Where it listens, on `localhost`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The authority behind its certificate.
    pub(crate) fn ca_pem(&self) -> Vec<u8> {
        self.ca_pem.clone()
    }

    /// What it took, the oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    /// Makes it behave otherwise from the next call on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut lock(&self.script));
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    script: Script,
    acceptor: TlsAcceptor,
    mails: Arc<Mutex<Vec<Mail>>>,
) -> io::Result<()> {
    if script.silent_at == Some("connect") {
        return std::future::pending().await;
    }
    let mut builder = SessionBuilder::new("mail.test");
    if script.encryption == Encryption::StartTls {
        builder.enable_start_tls();
    }
    if script.account.is_some() {
        builder.enable_auth(AuthMechanism::Plain);
    }
    let encrypted = Arc::new(AtomicBool::new(false));
    let mail = Mail::default();
    let keeper =
        Keeper { script: script.clone(), mail, encrypted: Arc::clone(&encrypted), kept: mails };
    let mut session = builder.build(peer, keeper);
    let mut stream: BufReader<Box<dyn Stream>> = BufReader::new(Box::new(stream));
    if script.encryption == Encryption::Implicit {
        stream = encrypt(stream, &acceptor).await?;
        session.tls_active();
        encrypted.store(true, Ordering::SeqCst);
    }
    let greeting = script.greeting.map_or_else(|| session.greeting(), answer);
    stream.write_all(&greeting.buffer()?).await?;
    loop {
        stream.flush().await?;
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if script.silent_at.is_some_and(|command| line.starts_with(command.as_bytes())) {
            return std::future::pending().await;
        }
        let response = session.process(&line);
        stream.write_all(&response.buffer()?).await?;
        if line == b".\r\n" && response.is_error {
            // mailin would take what follows for the rest of the refused mail.
            return stream.shutdown().await;
        }
        match response.action {
            Action::Reply | Action::NoReply => {}
            Action::Close => return stream.shutdown().await,
            Action::UpgradeTls => {
                stream.flush().await?;
                stream = encrypt(stream, &acceptor).await?;
                session.tls_active();
                encrypted.store(true, Ordering::SeqCst);
            }
        }
    }
}

async fn encrypt(
    stream: BufReader<Box<dyn Stream>>,
    acceptor: &TlsAcceptor,
) -> io::Result<BufReader<Box<dyn Stream>>> {
    Ok(BufReader::new(Box::new(acceptor.accept(stream.into_inner()).await?)))
}

fn answer(code: u16) -> Response {
    Response::custom(code, "as the test wants it".to_owned())
}

/// Judges one caller's commands and keeps the mails.
struct Keeper {
    script: Script,
    mail: Mail,
    encrypted: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<Mail>>>,
}

impl Handler for Keeper {
    fn auth_plain(&mut self, _: &str, username: &str, password: &str) -> Response {
        if self.script.account != Some((username, password)) {
            return mailin::response::INVALID_CREDENTIALS;
        }
        self.mail.account = Some(username.to_owned());
        mailin::response::AUTH_OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, from: &str) -> Response {
        from.clone_into(&mut self.mail.from);
        answer(self.script.mail)
    }

    fn rcpt(&mut self, to: &str) -> Response {
        self.mail.to.push(to.to_owned());
        answer(if self.script.stranger == Some(to) { 550 } else { self.script.recipient })
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.text.push_str(&String::from_utf8_lossy(line));
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let account = self.mail.account.clone();
        let mut mail = std::mem::replace(&mut self.mail, Mail { account, ..Mail::default() });
        if self.script.end == 250 {
            mail.encrypted = self.encrypted.load(Ordering::SeqCst);
            lock(&self.kept).push(mail);
        }
        answer(self.script.end)
    }
}

/// An authority of our own, and a server with a certificate from it.
fn certificates() -> Result<(Vec<u8>, TlsAcceptor), Box<dyn Error>> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let ca_pem = authority.self_signed(&authority_key)?.pem().into_bytes();
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(["localhost".to_owned()])?
        .signed_by(&key, &Issuer::new(authority, authority_key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())?;
    Ok((ca_pem, TlsAcceptor::from(Arc::new(config))))
}
