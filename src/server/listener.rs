//! Connections: taken one by one, bounded in number and in how long they may keep us waiting for a request.

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How many connections are open at once; more wait in the kernel's queue.
const MOST: usize = 4096;

/// How long a connection may go without a whole request head: longer than load balancers keep idle ones (60 s), so
/// that they close first and no request meets a closing door.
const HEAD_WITHIN: Duration = Duration::from_secs(75);

/// After the process ran out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop`, then lets what is under way end.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    serve_within(listener, router, stop, HEAD_WITHIN).await;
}

async fn serve_within(listener: TcpListener, router: Router, stop: CancellationToken, head_within: Duration) {
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Semaphore::new(MOST)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_within);
    while let Some((place, taken)) = stop
        .run_until_cancelled(async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        })
        .await
    {
        let (stream, remote) = match taken {
            Ok(taken) => taken,
            // The caller's own fault; the next one may be there already.
            Err(error) if is_of_the_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let connection = http.serve_connection(TokioIo::new(at_once(stream)), answer(router.clone(), remote));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            // Its end is no news: callers hang up.
            let _ = connection.await;
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

fn answer(
    router: Router,
    remote: SocketAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future: Send + 'static,
> + Send
+ 'static {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(remote));
        router.clone().oneshot(request.map(Body::new))
    })
}

/// Small answers leave at once.
fn at_once(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays slow");
    }
    stream
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn open(head_within: Duration) -> (SocketAddr, CancellationToken, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let router = Router::new().route(
            "/",
            get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                from.ip().to_string()
            }),
        );
        let served = tokio::spawn(serve_within(listener, router, stop.clone(), head_within));
        (address, stop, served)
    }

    async fn ask(address: SocketAddr, text: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        answer
    }

    #[tokio::test]
    async fn a_connection_that_never_finishes_its_request_is_closed() {
        let (address, ..) = open(Duration::from_millis(100)).await;
        assert!(!ask(address, "GET / HTTP/1.1\r\nHost: a\r\nX-Slow").await.contains("200 OK"));
        assert!(ask(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.ends_with("127.0.0.1"));
    }

    #[tokio::test]
    async fn what_is_under_way_at_the_end_is_answered() {
        let (address, stop, served) = open(HEAD_WITHIN).await;
        let asked = tokio::spawn(async move { ask(address, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        stop.cancel();
        assert!(asked.await.unwrap().contains("200 OK"));
        tokio::time::timeout(Duration::from_secs(5), served).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
