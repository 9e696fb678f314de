//! Portals on loopback that do as they are told, and a reference that shows that our own network is up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What every portal of a farm does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Answers with its page.
    Well,
    /// Answers with 503.
    Busy,
    /// Takes the connection and says nothing.
    Silent,
    /// Says that it is being maintained.
    Maintenance,
}

/// A listener whose mood can be changed.
pub struct Farm {
    /// `127.0.0.1:PORT`.
    pub address: String,
    mood: Arc<AtomicU8>,
    asked: Arc<AtomicU64>,
}

impl Farm {
    pub async fn new() -> Farm {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (mood, asked) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU64::new(0)));
        let (of_all, counted) = (Arc::clone(&mood), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(answer(stream, Arc::clone(&of_all)));
            }
        });
        Farm { address, mood, asked }
    }

    pub fn be(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::Relaxed);
    }

    pub fn n_asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn answer(mut stream: TcpStream, mood: Arc<AtomicU8>) {
    let mut asked = [0; 2048];
    if stream.read(&mut asked).await.is_err() {
        return;
    }
    let (status, body) = match mood.load(Ordering::Relaxed) {
        0 => (200, "<h1>Cổng thông tin điện tử</h1>"),
        1 => (503, "busy"),
        2 => return tokio::time::sleep(Duration::from_secs(120)).await,
        _ => (200, "<h1>Hệ thống đang bảo trì</h1>"),
    };
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    if stream.write_all(format!("{head}{body}").as_bytes()).await.is_ok() {
        let _gone = stream.shutdown().await;
    }
}

/// A reference that takes connections until it is dropped.
pub struct Reference {
    pub port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Reference {
    pub async fn new(port: u16) -> Reference {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        let port = listener.local_addr().expect("an address").port();
        let task = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        Reference { port, task }
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.task.abort();
    }
}
