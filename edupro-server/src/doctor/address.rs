//! The address from outside, what has to go with it, and how many may come at once.

use axum::http::Uri;

use super::Finding;
use crate::{
    config::{CookieSecure, Loaded, Origin, PublicUrl},
    listener::Limits,
};

const PART: &str = "public url";
const URL: &str = "http.public_url";
/// Files that a process has open beside its connections: the log, the database, uploads.
const OTHER_FILES: u64 = 100;

pub(super) async fn public_url(loaded: &Loaded) -> Vec<Finding> {
    let http = &loaded.config.http;
    let mut findings = match &http.public_url {
        Some(url) => outside(loaded, url),
        None if http.addr.ip().is_loopback() => {
            vec![Finding::ok(PART, "only this machine can connect, and none is needed")]
        }
        None => vec![Finding::warning(
            PART,
            format!("others can connect to {}, and links go where each request says", http.addr),
            &[URL],
            "name the address that people use",
        )],
    };
    let base = http.public_url.as_ref().map(|url| url.as_str().to_owned());
    let is_everywhere = http.addr.ip().is_unspecified();
    let here = match is_everywhere {
        true => format!("http://127.0.0.1:{}", http.addr.port()),
        false => format!("http://{}", http.addr),
    };
    findings.push(answers(&base.unwrap_or(here)).await);
    findings
}

/// What an address outside needs of the other keys.
fn outside(loaded: &Loaded, url: &PublicUrl) -> Vec<Finding> {
    let http = &loaded.config.http;
    let host = host_of(url.as_str());
    let mut findings = Vec::new();
    if !url.is_https() && !is_this_machine(&host) {
        findings.push(Finding::warning(
            PART,
            format!("{} is not https: passwords cross the network in clear", url.as_str()),
            &[URL],
            "let a proxy speak https",
        ));
    }
    let always = loaded.config.auth.cookie_secure == CookieSecure::Always(true);
    if !url.is_https() && always && !is_this_machine(&host) {
        findings.push(Finding::failed(
            PART,
            "cookies go over https only, and the school is reached by http: nobody stays logged in",
            &["auth.cookie_secure", URL],
            "set \"auto\", or an https address",
        ));
    }
    let local: Vec<&str> = local_origins(&http.cors_origins).collect();
    if url.is_https() && !local.is_empty() {
        findings.push(Finding::warning(
            PART,
            format!("pages at {} may call with cookies", local.join(", ")),
            &["http.cors_origins"],
            "name the origins of the school's pages, and only those",
        ));
    }
    let foreign: Vec<&str> = http
        .cors_origins
        .iter()
        .map(Origin::as_str)
        .filter(|origin| {
            !is_this_machine(&host_of(origin)) && !is_same_site(&host_of(origin), &host)
        })
        .collect();
    if !foreign.is_empty() {
        findings.push(Finding::warning(
            PART,
            format!("browsers send no cookies from another site: {}", foreign.join(", ")),
            &["http.cors_origins", URL],
            "put the pages and the school below one domain",
        ));
    }
    // A proxy is in front: it speaks https, or stands at another port or host.
    let is_direct = url.as_str() == format!("http://{}", http.addr);
    if http.trusted_proxies.is_empty() && !is_direct {
        findings.push(Finding::warning(
            PART,
            "every visitor has the proxy's address, and shares its limits",
            &["http.trusted_proxies"],
            "name the network of the proxy in front, such as [\"127.0.0.1/32\"]",
        ));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(PART, format!("{} fits the other keys", url.as_str())));
    }
    findings
}

/// The host of a URL that was looked at before.
fn host_of(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    uri.as_ref().and_then(Uri::host).unwrap_or_default().to_owned()
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn local_origins(origins: &[Origin]) -> impl Iterator<Item = &str> {
    origins.iter().map(Origin::as_str).filter(|origin| is_this_machine(&host_of(origin)))
}

/// Whether two hosts may be one site. Which endings belong to everybody is not known here, so two
/// labels count.
fn is_same_site(one: &str, other: &str) -> bool {
    let end = |host: &str| {
        let mut labels: Vec<_> = host.rsplit('.').take(2).map(str::to_lowercase).collect();
        labels.reverse();
        labels
    };
    one == other || end(one) == end(other)
}

/// Whether the server answers where people look for it. It need not run now.
#[cfg(any(feature = "bunny", feature = "stripe", feature = "vdocipher"))]
async fn answers(base: &str) -> Finding {
    let url = format!("{base}/healthz");
    let (found, remedy) = match edupro_core::status_of(&url).await {
        Ok(200) => return Finding::ok(PART, format!("{url} answers")),
        Ok(status) => (format!("{url} answers {status}"), "does the proxy lead to `http.addr`?"),
        Err(error) => (
            format!("{url} does not answer: {:#}", anyhow::Error::from_boxed(error)),
            "does the server run, and does a proxy lead to it?",
        ),
    };
    Finding::warning(PART, found, &[URL], remedy)
}

#[cfg(not(any(feature = "bunny", feature = "stripe", feature = "vdocipher")))]
async fn answers(base: &str) -> Finding {
    // The client comes with the providers that need one.
    Finding::ok(PART, format!("{base}/healthz was not asked: this program has no client for it"))
}

/// A connection is an open file, and so is each of the pool's.
pub(super) fn open_files(loaded: &Loaded) -> Finding {
    const PART: &str = "open files";

    let connections = u64::try_from(Limits::default().connections).unwrap_or(u64::MAX);
    let pool = 2 * u64::from(loaded.config.database.max_connections.get());
    let wanted = connections + pool + OTHER_FILES;
    match most_open_files() {
        Some(most) if most < wanted => Finding::warning(
            PART,
            format!("this user may have {most} open, and {wanted} may be needed"),
            &[],
            format!("raise `ulimit -n`, or LimitNOFILE= of the service, to {wanted} or more"),
        ),
        Some(most) => Finding::ok(PART, format!("{most} may be open, {wanted} may be needed")),
        None => Finding::ok(PART, "as many may be open as there are"),
    }
}

/// `None` when there is no limit.
#[cfg(unix)]
fn most_open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn most_open_files() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_site_share_their_domain() {
        for (one, other, same) in [
            ("school.example", "school.example", true),
            ("app.school.example", "api.school.example", true),
            ("school.example", "app.school.example", true),
            ("school.example", "school.test", false),
            ("localhost", "localhost", true),
        ] {
            assert_eq!(is_same_site(one, other), same, "{one} {other}");
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        for (url, here) in [
            ("http://localhost:5173", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:80", true),
            ("https://school.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_this_machine(&host_of(url)), here, "{url}");
        }
    }
}
