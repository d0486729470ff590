//! Where a request comes from, and under which name this school was reached.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts, OriginalUri},
    http::{HeaderMap, header, request::Parts, uri::Authority},
};
use edupro_core::accounts::Client;
use ipnet::IpNet;

use crate::{
    EduPro,
    openapi::{Describe, Description},
    render::Links,
};

/// The one who asks, as limits and sessions see them.
#[derive(Clone, Debug)]
pub struct Asker(pub Client);

/// This school, as the one who asks sees it: the base of absolute URLs.
#[derive(Clone, Debug)]
pub struct Site(pub Links);

impl Describe for Asker {
    fn describe(_: &mut Description<'_>) {}
}

impl Describe for Site {
    fn describe(_: &mut Description<'_>) {}
}

impl<S> FromRequestParts<S> for Asker
where
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let edupro = EduPro::from_ref(state);
        let user_agent = parts.headers.get(header::USER_AGENT);
        Ok(Self(Client {
            address: address(&edupro, parts),
            user_agent: user_agent.and_then(|agent| agent.to_str().ok()).map(ToOwned::to_owned),
        }))
    }
}

/// The peer, or what trusted proxies say of theirs (security R8).
pub(crate) fn address(edupro: &EduPro, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // Without a connection there is only the process itself.
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)).to_canonical();
    forwarded_for(peer, &parts.headers, edupro.trusted_proxies())
}

/// The right-most entry of `X-Forwarded-For` that is no trusted proxy: everything left of it was
/// written by somebody we do not know.
fn forwarded_for(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut nearest = peer;
    let entries = headers.get_all("x-forwarded-for").into_iter().filter_map(|v| v.to_str().ok());
    let entries: Vec<&str> = entries.flat_map(|value| value.split(',')).collect();
    for entry in entries.into_iter().rev() {
        if !is_trusted(nearest) {
            break;
        }
        let Ok(address) = entry.trim().parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
    }
    nearest
}

impl<S> FromRequestParts<S> for Site
where
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let edupro = EduPro::from_ref(state);
        Ok(Self(links(&edupro, parts)))
    }
}

/// The configured URL. Without one, the host that the request names, if it is a host at all.
fn links(edupro: &EduPro, parts: &Parts) -> Links {
    if let Some(public_url) = edupro.public_url() {
        return Links::new(public_url);
    }
    let host = host(parts).unwrap_or("localhost");
    Links::new(format!("http://{host}{}", prefix(parts)))
}

/// The host a request names, if it is well formed.
pub(crate) fn host(parts: &Parts) -> Option<&str> {
    let host = parts.headers.get(header::HOST)?.to_str().ok()?;
    let authority: Authority = host.parse().ok()?;
    (!authority.as_str().contains('@')).then_some(host)
}

/// The path below which an embedder has mounted the router.
pub(crate) fn prefix(parts: &Parts) -> &str {
    let original = parts.extensions.get::<OriginalUri>().map(|uri| uri.0.path());
    original.and_then(|original| original.strip_suffix(parts.uri.path())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        let address = |peer: &str, forwarded: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
            forwarded_for(peer.parse().unwrap(), &headers, &trusted).to_string()
        };
        assert_eq!(address("192.0.2.1", "203.0.113.9"), "192.0.2.1");
        assert_eq!(address("10.0.0.1", "203.0.113.9"), "203.0.113.9");
        assert_eq!(address("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2"), "203.0.113.9");
        assert_eq!(address("10.0.0.1", "1.1.1.1, spoofed"), "10.0.0.1");
    }
}
