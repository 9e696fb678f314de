//! A loopback server that breaks the protocol on purpose: raw TCP, because no HTTP library would let it.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does on one connection once the request has come.
#[derive(Clone)]
pub enum Act {
    /// Writes these bytes and closes.
    Send(Vec<u8>),
    /// Writes these bytes, then resets the connection.
    SendReset(Vec<u8>),
    /// Writes these bytes, then stays silent.
    SendStall(Vec<u8>),
    /// Writes this head, then one byte of an endless body every 20 ms.
    Drip(Vec<u8>),
    /// Writes this head, then body without end.
    Endless(Vec<u8>),
}

/// A server at work; it ends with the test's runtime.
pub struct Server {
    /// `http://127.0.0.1:PORT`.
    pub base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// How many requests came.
    pub fn n_asked(&self) -> usize {
        self.asked().len()
    }

    /// The first line of each request, in order; "" while it has not come.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("a list that no one breaks").clone()
    }
}

/// Starts a server whose connections act one after the other as told; the last act is repeated.
pub async fn serve(acts: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let no = begin(&lines);
            tokio::spawn(play(stream, acts[no.min(acts.len() - 1)].clone(), no, Arc::clone(&lines)));
        }
    });
    Server { base, asked }
}

/// A line for a request that will come; its number.
fn begin(lines: &Mutex<Vec<String>>) -> usize {
    let mut lines = lines.lock().expect("a list that no one breaks");
    lines.push(String::new());
    lines.len() - 1
}

/// The client may leave at any time; then there is nothing left to do.
async fn play(mut stream: TcpStream, act: Act, no: usize, lines: Arc<Mutex<Vec<String>>>) {
    let mut asked = [0; 4096];
    let Ok(n) = stream.read(&mut asked).await else { return };
    let line = String::from_utf8_lossy(&asked[..n]).lines().next().unwrap_or_default().to_owned();
    lines.lock().expect("a list that no one breaks")[no] = line;
    match act {
        Act::Send(bytes) => {
            if stream.write_all(&bytes).await.is_ok() && stream.shutdown().await.is_ok() {
                // Closing with unread bytes would be a reset.
                let _gone = stream.read(&mut asked).await;
            }
        }
        Act::SendReset(bytes) => {
            if stream.write_all(&bytes).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
                stream.set_zero_linger().expect("a socket that can be reset");
            }
        }
        Act::SendStall(bytes) => {
            if stream.write_all(&bytes).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
        }
        Act::Drip(head) => {
            let mut alive = stream.write_all(&head).await.is_ok();
            while alive {
                tokio::time::sleep(Duration::from_millis(20)).await;
                alive = stream.write_all(b" ").await.is_ok();
            }
        }
        Act::Endless(head) => {
            let mut alive = stream.write_all(&head).await.is_ok();
            while alive {
                alive = stream.write_all(&[b' '; 8192]).await.is_ok();
            }
        }
    }
}

/// A whole answer with its right length.
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = head(status, &format!("{headers}content-length: {}\r\n", body.len()));
    bytes.extend_from_slice(body);
    bytes
}

/// A status line and headers (each with its line end), and the empty line.
pub fn head(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Said\r\n{headers}\r\n").into_bytes()
}

/// A gzip body of 1 GiB of zeros, about 1 MiB long: one flushed block of 1 MiB, repeated.
pub fn gzip_bomb() -> Vec<u8> {
    let zeros = vec![0; 1 << 20];
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut block = Vec::with_capacity(1 << 16);
    deflate.compress_vec(&zeros, &mut block, flate2::FlushCompress::Full).expect("room for the block");
    let mut bomb = gzip_head();
    (0..1024).for_each(|_| bomb.extend_from_slice(&block));
    bomb
}

fn gzip_head() -> Vec<u8> {
    vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]
}

/// A body as gzip.
pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(body).expect("in memory");
    writer.finish().expect("in memory")
}
