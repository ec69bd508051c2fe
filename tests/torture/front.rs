//! What stands before several nodes: takes a connection, passes it on to the next node that takes one.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// How long a node may take to take a connection.
const PATIENCE: Duration = Duration::from_millis(500);

/// Listens at the address it gives, as long as the process lives.
pub async fn before(nodes: Vec<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (nodes, turn) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        while let Ok((mut caller, _)) = listener.accept().await {
            let (nodes, first) = (nodes.clone(), turn.fetch_add(1, Ordering::Relaxed));
            tokio::spawn(async move {
                for n in 0..nodes.len() {
                    let node = nodes[(first + n) % nodes.len()];
                    if let Ok(Ok(mut server)) = timeout(PATIENCE, TcpStream::connect(node)).await {
                        // How it ends is the caller's business: a broken request is a broken request.
                        let _ = copy_bidirectional(&mut caller, &mut server).await;
                        return;
                    }
                }
            });
        }
    });
    address
}
