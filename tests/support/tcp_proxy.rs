//! `tcp-proxy HOST:PORT`: a line that can be bad, for tests that are no Rust.
//!
//! Prints the port it listens on, then does what standard input says, a line at a time, and answers
//! each with `done`: `flow`, `hold`, `refuse`, `cut`, `finish`, `delay MILLISECONDS`,
//! `limit BYTES_A_SECOND`, `target HOST:PORT`. Ends with its input.

mod proxy;

use std::{
    error::Error,
    io::{self, BufRead, Write},
    time::Duration,
};

use proxy::Proxy;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::args().nth(1).ok_or("usage: tcp-proxy HOST:PORT")?.parse()?;
    let proxy = Proxy::open(target).await?;
    let mut output = io::stdout();
    writeln!(output, "{}", proxy.addr().port())?;
    // Nothing else runs on this thread; the connections have the runtime's others.
    for line in io::stdin().lock().lines() {
        let said = match obey(&proxy, &line?) {
            Ok(()) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        writeln!(output, "{said}")?;
        output.flush()?;
    }
    Ok(())
}

fn obey(proxy: &Proxy, line: &str) -> Result<(), Box<dyn Error>> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["flow"] => proxy.flow(),
        ["hold"] => proxy.hold(),
        ["refuse"] => proxy.refuse(),
        ["cut"] => proxy.cut(),
        ["finish"] => proxy.finish(),
        ["delay", milliseconds] => proxy.delay(Duration::from_millis(milliseconds.parse()?)),
        ["limit", bytes] => proxy.limit(bytes.parse()?),
        ["target", target] => proxy.turn_to(target.parse()?),
        _ => return Err(format!("`{line}` is nothing that the proxy can do").into()),
    }
    Ok(())
}
