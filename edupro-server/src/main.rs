//! The `edupro` command. Everything it does is in the library, where tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    edupro_server::Server::new().run()
}
