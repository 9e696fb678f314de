//! A webhook on loopback that keeps what it is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

/// What is shared with the server.
#[derive(Default)]
struct Heard {
    requests: Mutex<Vec<(HeaderMap, Value)>>,
    answer: AtomicU16,
}

/// A webhook on loopback.
pub struct Receiver {
    address: SocketAddr,
    heard: Arc<Heard>,
    server: Option<tokio::task::JoinHandle<()>>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        Receiver::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub async fn start_at(address: SocketAddr) -> Receiver {
        let listener = tokio::net::TcpListener::bind(address).await.expect("a port of loopback");
        let address = listener.local_addr().expect("its address");
        let heard = Arc::new(Heard { answer: AtomicU16::new(200), ..Heard::default() });
        let router = Router::new().route("/hook/T0K3N", post(hear)).with_state(Arc::clone(&heard));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("a server") });
        Receiver { address, heard, server: Some(server) }
    }

    /// Where nobody listens.
    pub fn away(address: SocketAddr) -> Receiver {
        Receiver { address, heard: Arc::default(), server: None }
    }

    pub async fn stop(self) -> SocketAddr {
        if let Some(server) = self.server {
            server.abort();
            assert!(server.await.is_err(), "aborted");
        }
        self.address
    }

    pub fn url(&self) -> url::Url {
        format!("http://{}/hook/T0K3N", self.address).parse().expect("an address")
    }

    /// What it answers from now on.
    pub fn answer(&self, status: u16) {
        self.heard.answer.store(status, Ordering::SeqCst);
    }

    pub fn requests(&self) -> Vec<(HeaderMap, Value)> {
        self.heard.requests.lock().expect("nobody panics with it").clone()
    }

    /// Every request: `firing source_stale a, resolved source_stale b`.
    pub fn said(&self) -> Vec<String> {
        let alert = |alert: &Value| {
            let labels = &alert["labels"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", text(&alert["status"]), text(&labels["alertname"]), text(&labels["collector"]))
        };
        let request = |(_, body): &(HeaderMap, Value)| {
            let alerts = body.as_array().expect("an array of alerts");
            alerts.iter().map(alert).collect::<Vec<_>>().join(", ")
        };
        self.requests().iter().map(request).collect()
    }

    /// Waits until it was asked so many times.
    pub async fn heard(&self, n: usize) {
        let started = Instant::now();
        while self.requests().len() < n {
            assert!(started.elapsed() < Duration::from_secs(30), "asked {} times, not {n}", self.requests().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn hear(State(heard): State<Arc<Heard>>, headers: HeaderMap, body: Bytes) -> (StatusCode, &'static str) {
    let body = serde_json::from_slice(&body).expect("JSON");
    heard.requests.lock().expect("nobody panics with it").push((headers, body));
    (StatusCode::from_u16(heard.answer.load(Ordering::SeqCst)).expect("a status"), "the receiver's words")
}
