//! The reason behind a failure, found by types and statuses and never by words.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::Failure;
use super::resolve::{Blocked, NoAddress};
use crate::collect::collector::Expect;
use crate::collect::extract::is_firewall_page;
use crate::model::Reason;

/// The reason behind a client error.
pub(super) fn classify(error: &reqwest::Error) -> Failure {
    let mut reason = match () {
        () if error.is_timeout() => Reason::Timeout,
        () if error.is_connect() => Reason::Connect,
        () => Reason::Protocol,
    };
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut words = String::new();
    while let Some(at) = cause {
        words = at.to_string();
        reason = reason_of(at, reason);
        cause = at.source();
    }
    Failure::new(reason, words)
}

/// What one link of the chain of causes says, else the reason found so far.
pub(super) fn reason_of(error: &(dyn StdError + 'static), so_far: Reason) -> Reason {
    if error.is::<NoAddress>() {
        return Reason::Dns;
    }
    if error.is::<Blocked>() {
        return Reason::AddressBlocked;
    }
    if let Some(tls) = tls_error(error) {
        return of_tls(tls);
    }
    let kind = error.downcast_ref::<io::Error>().map(innermost_kind);
    match (so_far, kind) {
        // No address of the host has a route from here (see `resolve`), so it is our side that is cut off.
        (Reason::Connect, Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown)) => Reason::OwnNetwork,
        // A connection that is made cannot end before its bytes; a handshake can.
        (Reason::Connect, Some(io::ErrorKind::UnexpectedEof)) => Reason::TlsHandshake,
        (Reason::Protocol, _) if is_undecodable(error) => Reason::Decode,
        (Reason::Protocol, Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)) => {
            Reason::Connect
        }
        (so_far, _) => so_far,
    }
}

/// An `io::Error` may hold another one, which says more than "other".
fn innermost_kind(error: &io::Error) -> io::ErrorKind {
    let inside = error.get_ref().and_then(|inside| inside.downcast_ref::<io::Error>());
    inside.map_or_else(|| error.kind(), innermost_kind)
}

/// rustls hides inside one `io::Error` or two, which do not name what they hold as their source.
fn tls_error<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e TlsError> {
    let inside = || tls_error(error.downcast_ref::<io::Error>()?.get_ref()?);
    error.downcast_ref::<TlsError>().or_else(inside)
}

/// What kind of trouble with TLS: a certificate that is no good, or a server that speaks only what we do not.
///
/// The verifier looks at the time before the issuer, and at the issuer before the name; the first fault is the reason.
fn of_tls(error: &TlsError) -> Reason {
    match error {
        TlsError::InvalidCertificate(certificate) => of_certificate(certificate),
        TlsError::NoCertificatesPresented => Reason::TlsUntrusted,
        TlsError::PeerIncompatible(_) => Reason::TlsUnsupported,
        TlsError::AlertReceived(
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
        ) => Reason::TlsUnsupported,
        // rustls may add kinds of errors at any time.
        _ => Reason::TlsHandshake,
    }
}

fn of_certificate(error: &CertificateError) -> Reason {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Reason::TlsExpired,
        // Signed in a way that we cannot check: whether it is genuine is not known.
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Reason::TlsUnsupported,
        // Unknown issuer, self-signed, a CA's own certificate, another name or purpose, not valid yet, revoked …
        _ => Reason::TlsUntrusted,
    }
}

/// Whether the content coding is broken. The client calls every trouble with a body so; only when the
/// unpacker's own error stands directly below did the bytes arrive.
fn is_undecodable(error: &(dyn StdError + 'static)) -> bool {
    let decoding = error.downcast_ref::<reqwest::Error>().filter(|error| error.is_decode());
    decoding.and_then(StdError::source).is_some_and(|source| source.is::<io::Error>())
}

/// A status that is not expected, as a failure; a firewall's page is one whatever its status.
pub(super) fn refused_status(status: Option<u16>, body: Option<&[u8]>, expect: &Expect) -> Option<Failure> {
    let status = status?;
    let expected = if expect.status.is_empty() { &[200][..] } else { &expect.status };
    if expected.contains(&status) {
        return None;
    }
    if body.is_some_and(is_firewall_page) {
        return Some(Failure::new(Reason::Firewall, format!("a firewall's page with status {status}")));
    }
    Some(Failure::new(reason_of_status(status), format!("status {status}, expected {expected:?}")))
}

/// The reason behind a status that is not expected.
pub(super) fn reason_of_status(status: u16) -> Reason {
    match status {
        401 | 403 => Reason::Auth,
        429 => Reason::RateLimited,
        300..=399 => Reason::RedirectBlocked,
        500..=599 => Reason::Http5xx,
        400..=499 => Reason::Http4xx,
        _ => Reason::Protocol,
    }
}

#[cfg(test)]
mod tests {
    use rustls::PeerIncompatible;

    use super::super::resolve::guard;
    use super::*;

    #[test]
    fn each_trouble_with_tls_has_its_reason() {
        let certificate = TlsError::InvalidCertificate;
        for (error, reason) in [
            (certificate(CertificateError::Expired), Reason::TlsExpired),
            (certificate(CertificateError::NotValidYet), Reason::TlsUntrusted),
            (certificate(CertificateError::Revoked), Reason::TlsUntrusted),
            (certificate(CertificateError::UnknownIssuer), Reason::TlsUntrusted),
            (certificate(CertificateError::NotValidForName), Reason::TlsUntrusted),
            (TlsError::NoCertificatesPresented, Reason::TlsUntrusted),
            (TlsError::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon), Reason::TlsUnsupported),
            (TlsError::AlertReceived(AlertDescription::ProtocolVersion), Reason::TlsUnsupported),
            (TlsError::AlertReceived(AlertDescription::HandshakeFailure), Reason::TlsUnsupported),
            (TlsError::AlertReceived(AlertDescription::InsufficientSecurity), Reason::TlsUnsupported),
            (TlsError::AlertReceived(AlertDescription::InternalError), Reason::TlsHandshake),
            (TlsError::DecryptError, Reason::TlsHandshake),
        ] {
            let said = error.to_string();
            let wrapped = io::Error::other(io::Error::other(error));
            assert_eq!(reason_of(&wrapped, Reason::Connect), reason, "{said}");
        }
    }

    #[test]
    fn a_blocked_address_is_told_from_a_refused_connection() {
        let blocked = guard("portal.example", &["127.0.0.1".parse().expect("an address")]).expect_err("loopback");
        assert_eq!(reason_of(&blocked, Reason::Connect), Reason::AddressBlocked);
    }

    #[test]
    fn a_network_that_is_not_there_is_ours() {
        for (kind, so_far, reason) in [
            (io::ErrorKind::NetworkUnreachable, Reason::Connect, Reason::OwnNetwork),
            (io::ErrorKind::NetworkDown, Reason::Connect, Reason::OwnNetwork),
            (io::ErrorKind::UnexpectedEof, Reason::Connect, Reason::TlsHandshake),
            (io::ErrorKind::HostUnreachable, Reason::Connect, Reason::Connect),
            (io::ErrorKind::ConnectionRefused, Reason::Connect, Reason::Connect),
            (io::ErrorKind::ConnectionReset, Reason::Protocol, Reason::Connect),
            (io::ErrorKind::UnexpectedEof, Reason::Protocol, Reason::Protocol),
        ] {
            assert_eq!(reason_of(&io::Error::from(kind), so_far), reason, "{kind:?}");
        }
    }
}
