//! The log: to standard error, one event a line, for people or for machines (security R50).
//!
//! What is logged is decided where it happens, and is never a body, a cookie or an
//! `Authorization`. Request ids come from the router's span around each request.

use std::io::{self, Write};

use tracing::Dispatch;
use tracing_subscriber::{
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};

/// Starts logging for the whole process. Where a log is kept already, an embedder's for instance,
/// that one stays.
pub fn start(log: &Log) {
    drop(dispatch(log, || OneLine(io::stderr())).try_init());
}

fn dispatch<W>(log: &Log, writer: W) -> Dispatch
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filtered = registry().with(log.level.targets());
    match log.format {
        LogFormat::Text => {
            Dispatch::new(filtered.with(fmt::layer().with_ansi(false).with_writer(writer)))
        }
        LogFormat::Json => {
            let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
            Dispatch::new(filtered.with(lines.with_writer(writer)))
        }
    }
}

/// Writes control characters as `\n`, `\u{1b}` and so on: a line break that came in with a request
/// would let its sender write log lines, an escape sequence would let him paint the reader's
/// screen. Colours are escape sequences as well, so there are none. The subscriber writes each
/// event at once.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let mut line = String::with_capacity(event.len());
        for character in text.chars() {
            if character.is_control() {
                line.extend(character.escape_default());
            } else {
                line.push(character);
            }
        }
        line.push_str(end);
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{debug, dispatcher::with_default, info, info_span, warn};

    use super::*;
    use crate::config::LogLevel;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged while `work` runs.
    fn logged(format: LogFormat, level: &str, work: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let level = LogLevel::try_from(level.to_owned()).unwrap();
        let dispatch = dispatch(&Log { level, format }, move || OneLine(writer.clone()));
        with_default(&dispatch, work);
        String::from_utf8(memory.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_lines_carry_the_requests_id() {
        let lines = logged(LogFormat::Json, "info", || {
            let _request = info_span!("request", request_id = "0192").entered();
            warn!(user = 7, "a token was used twice");
        });
        let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["message"], "a token was used twice");
        assert_eq!(line["user"], 7);
        assert_eq!(line["span"]["request_id"], "0192");
        assert_eq!(line["level"], "WARN");
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let lines = logged(format, "info", || {
                info!(name = %"mona\nERROR the database is gone\r\x1b[2J", "hello\nworld");
            });
            assert_eq!(lines.matches('\n').count(), 1, "{lines:?}");
            assert!(!lines.trim_end().chars().any(char::is_control), "{lines:?}");
        }
    }

    #[test]
    fn levels_can_differ_by_target() {
        let lines = logged(LogFormat::Text, "warn,edupro=debug", || {
            info!(target: "sqlx", "too much");
            debug!(target: "edupro", "wanted");
        });
        assert!(lines.contains("wanted") && !lines.contains("too much"), "{lines}");
    }
}
