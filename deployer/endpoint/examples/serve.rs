//! Serves a folder, or memory, until Ctrl-C:
//!
//! ```text
//! cargo run -p gristmill-endpoint --example serve -- [--port 8000] [--shards 1] [FOLDER]
//! ```
//!
//! Prints the address first, on a line of its own.

use std::net::{Ipv4Addr, TcpListener};

use gristmill_endpoint::{Endpoint, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut options, mut port) = (Options::in_memory(), 0);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => port = arguments.next().ok_or("--port needs a number")?.parse()?,
            "--shards" => options.shards = arguments.next().ok_or("--shards needs a number")?.parse()?,
            folder => options.folder = Some(folder.into()),
        }
    }
    let endpoint = Endpoint::open(options)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    println!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let stop = async {
        // Without the signal there is only a kill to end it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Ok(runtime.block_on(endpoint.serve(listener, stop))?)
}
