//! One request over a connection of its own, phase by phase.

use std::io::Read;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, LOCATION, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use url::Url;

use super::{Look, Prober, Trouble, Via};
use crate::collect::source::{Failure, classify};
use crate::model::{Phase, Reason};

/// A whole answer, or as much of it as is read.
pub(super) struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub content_type: String,
    pub body: Vec<u8>,
}

impl Prober {
    /// Resolves, connects, shakes hands if it is HTTPS, asks and reads.
    pub(super) async fn exchange(&self, url: &Url, is_first: bool, via: Via, look: &mut Look) -> Result<Answer, Trouble> {
        let config = |text: String| Failure::new(Reason::Config, text);
        let host = url.host().ok_or_else(|| config(format!("{url} names no host")))?;
        let port = url.port_or_known_default().ok_or_else(|| config(format!("{url} names no port")))?;
        let addresses = self.names.addresses(&host, is_first, port, via).await?;
        if !matches!(host, url::Host::Domain(_)) {
            // Nothing was resolved.
            look.phase = Phase::Answer;
        }
        look.enter(Phase::Connect);
        let stream = self.connect(&addresses, look).await?;
        if url.scheme() != "https" {
            return self.ask(stream, url, look).await;
        }
        look.enter(Phase::Tls);
        let shaken = self.tls.shake(url.host_str().unwrap_or_default(), stream).await;
        look.certificate_until = shaken.certificate_until;
        Box::pin(self.ask(shaken.stream?, url, look)).await
    }

    /// The first address that takes a connection; each but the last may use half of the time that is left.
    async fn connect(&self, addresses: &[SocketAddr], look: &mut Look) -> Result<TcpStream, Trouble> {
        let mut failure = Failure::new(Reason::Dns, "no address");
        for (no, address) in addresses.iter().enumerate() {
            look.address = Some(*address);
            let connecting = TcpStream::connect(address);
            let limit = self.timeout.saturating_sub(look.began.elapsed()) / 2;
            // The last one may use what is left of the whole look.
            let is_last = no + 1 == addresses.len();
            let connected = if is_last { Ok(connecting.await) } else { tokio::time::timeout(limit, connecting).await };
            failure = match connected {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => {
                    look.refused = error.kind() == std::io::ErrorKind::ConnectionRefused;
                    Failure::new(classify::reason_of(&error, Reason::Connect), format!("{address}: {error}"))
                }
                Err(_) => Failure::new(Reason::Timeout, format!("{address}: no connection within {}", humantime::format_duration(limit))),
            };
        }
        Err(failure.into())
    }

    async fn ask<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, url: &Url, look: &mut Look) -> Result<Answer, Trouble> {
        look.enter(Phase::FirstByte);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        tokio::pin!(connection);
        let mut is_open = true;
        let talk = async {
            let response = sender.send_request(self.request(url)?).await.map_err(|error| broken(&error))?;
            look.enter(Phase::Transfer);
            look.status = Some(response.status().as_u16());
            let (head, mut body) = response.into_parts();
            let mut bytes = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| broken(&error))?;
                let Some(data) = frame.data_ref() else { continue };
                let room = self.body_limit - bytes.len();
                bytes.extend_from_slice(&data[..data.len().min(room)]);
                look.body_bytes = bytes.len();
                if data.len() >= room {
                    break;
                }
            }
            Ok(Answer {
                status: head.status.as_u16(),
                location: text(&head.headers, LOCATION),
                content_type: text(&head.headers, CONTENT_TYPE).unwrap_or_default(),
                body: unpacked(&text(&head.headers, CONTENT_ENCODING).unwrap_or_default(), bytes, self.body_limit)?,
            })
        };
        tokio::pin!(talk);
        loop {
            // The connection must be moved along for the talk to go on; that it ended is seen by the talk.
            tokio::select! {
                biased;
                answer = &mut talk => return answer.map_err(Trouble::Failed),
                _ = &mut connection, if is_open => is_open = false,
            }
        }
    }

    fn request(&self, url: &Url) -> Result<hyper::Request<Empty<Bytes>>, Failure> {
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let request = hyper::Request::get(&url[url::Position::BeforePath..url::Position::AfterQuery]);
        let request = request.header(HOST, host).header(USER_AGENT, &self.user_agent).header(ACCEPT, "*/*");
        let request = request.header(CONNECTION, "close").body(Empty::new());
        request.map_err(|error| Failure::new(Reason::Config, format!("{url} cannot be asked for: {error}")))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What broke a connection that stood.
fn broken(error: &hyper::Error) -> Failure {
    let mut reason = Reason::Protocol;
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(at) = cause {
        words = format!("{words}: {at}");
        reason = classify::reason_of(at, reason);
        cause = at.source();
    }
    // Closed before the answer began: nobody was there who speaks HTTP.
    if reason == Reason::Protocol && (error.is_incomplete_message() || error.is_closed()) {
        reason = Reason::Connect;
    }
    Failure::new(reason, words)
}

/// The body without a content coding that was sent although none was asked for.
fn unpacked(coding: &str, body: Vec<u8>, limit: usize) -> Result<Vec<u8>, Failure> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut unpacked = Vec::new();
    let read = match coding.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => return Ok(body),
        "gzip" | "x-gzip" => flate2::read::MultiGzDecoder::new(body.as_slice()).take(limit).read_to_end(&mut unpacked),
        "deflate" => flate2::read::ZlibDecoder::new(body.as_slice()).take(limit).read_to_end(&mut unpacked),
        other => return Err(Failure::new(Reason::Decode, format!("the body has the content coding {other:?}, which was not asked for"))),
    };
    match read {
        Ok(_) => Ok(unpacked),
        // A body that was longer than what is read ends in the middle of its coding.
        Err(_) if !unpacked.is_empty() => Ok(unpacked),
        Err(error) => Err(Failure::new(Reason::Decode, format!("the body is no {coding}: {error}"))),
    }
}
