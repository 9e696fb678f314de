//! TLS of a look: nothing is resumed, and the certificate is seen whether or not it is accepted.

use std::sync::{Arc, Mutex};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error as TlsError, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::collect::collector::Tls as Wanted;
use crate::collect::source::{Failure, classify};
use crate::model::{Reason, Ts};
use crate::settings::{Settings, read_certificates};

/// What every look's handshake begins with.
pub(super) struct Tls {
    config: ClientConfig,
    verifier: Arc<dyn ServerCertVerifier>,
    wanted: Wanted,
}

/// A handshake and the end of the certificate that it showed.
pub(super) struct Shaken {
    pub stream: Result<TlsStream<TcpStream>, Failure>,
    pub certificate_until: Option<Ts>,
}

impl Tls {
    pub fn new(wanted: Wanted, settings: &Settings) -> Result<Tls, Failure> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let extra = settings.http.extra_ca.as_deref().map(read_certificates).transpose();
        let extra = extra.map_err(|wrong| Failure::new(Reason::Config, wrong))?.unwrap_or_default();
        let internal = |error: TlsError| Failure::new(Reason::Internal, format!("no TLS: {error}"));
        let roots = extra.into_iter().map(CertificateDer::from);
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(internal)?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(verifier);
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(internal)?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::clone(&verifier)).with_no_client_auth();
        // Every look is a stranger's first.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config, verifier, wanted })
    }

    pub async fn shake(&self, host: &str, stream: TcpStream) -> Shaken {
        let seen = Arc::new(Seen { verifier: Arc::clone(&self.verifier), wanted: self.wanted, leaf: Mutex::new(None) });
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(Arc::clone(&seen) as Arc<dyn ServerCertVerifier>);
        let stream = match ServerName::try_from(host.trim_matches(['[', ']']).to_owned()) {
            Ok(name) => TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| {
                let reason = classify::reason_of(&error, Reason::Connect);
                // What breaks off in a handshake broke the handshake.
                let reason = if reason == Reason::Connect { Reason::TlsHandshake } else { reason };
                Failure::new(reason, error.to_string())
            }),
            Err(error) => Err(Failure::new(Reason::Config, format!("{host:?} is no name for TLS: {error}"))),
        };
        let leaf = seen.leaf.lock().ok().and_then(|mut leaf| leaf.take());
        Shaken { stream, certificate_until: leaf.and_then(|leaf| valid_until(&leaf)) }
    }
}

fn valid_until(leaf: &[u8]) -> Option<Ts> {
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf).ok()?;
    chrono::DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0).map(Ts::from)
}

/// Remembers the certificate of one handshake and asks the real verifier, unless anything is accepted.
#[derive(Debug)]
struct Seen {
    verifier: Arc<dyn ServerCertVerifier>,
    wanted: Wanted,
    leaf: Mutex<Option<Vec<u8>>>,
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        if let Ok(mut seen) = self.leaf.lock() {
            *seen = Some(leaf.to_vec());
        }
        match self.wanted {
            Wanted::Valid => self.verifier.verify_server_cert(leaf, between, name, ocsp, now),
            Wanted::Any => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls12_signature(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.verifier.verify_tls13_signature(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
