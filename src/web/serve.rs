//! Serving a router until the service is told to stop.

use std::future::IntoFuture;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long answers under way may take after the word to stop.
pub const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop` is cancelled, then finishes what is under way, for [`GRACE`] at most.
///
/// # Errors
/// The listener cannot accept any more.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> std::io::Result<()> {
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned()).into_future();
    let patience = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server => ended,
        () = patience => {
            tracing::warn!("some answers were still under way {GRACE:?} after the word to stop; they are cut off");
            Ok(())
        }
    }
}
