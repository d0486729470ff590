//! The `edupro` command. Everything it does is in the library, where tests reach it.

use std::process::ExitCode;

// The system's keeps an arena for each thread: on SQLite, where each connection has a thread, memory
// grew by a megabyte a minute that nobody used.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    edupro_server::Server::new().run()
}
