//! The seeds of the fuzz targets: what `scripts/fuzz` begins with, and what it has found once
//! (security T25).

#![expect(clippy::unwrap_used, reason = "a test")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use edupro_core::conformance::strangers as core;
use edupro_http::testkit::strangers::{self, TARGETS};

/// Small enough to be read by a person, and to be altered quickly.
const LARGEST: usize = 20 * 1024;

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target)
}

fn seeds(target: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder(target)).unwrap().map(|entry| read(entry.unwrap())).collect()
}

#[test]
fn no_seed_breaks_a_promise() {
    for (target, promises) in TARGETS {
        let seeds = seeds(target);
        let mut meaningful = 0;
        for (name, bytes) in &seeds {
            eprintln!("{target}/{name}");
            assert!(bytes.len() <= LARGEST, "{target}/{name} is too large");
            meaningful += usize::from(promises(bytes));
        }
        assert!(
            meaningful >= 3,
            "of {} seeds of {target} only {meaningful} mean something",
            seeds.len()
        );
    }
}

/// A fuzzer cannot sign: what is signed has to be among its seeds. `EDUPRO_WRITE_SEEDS=1` writes
/// them, if signing is another one now.
#[test]
#[expect(clippy::disallowed_methods, reason = "this is no configuration of a school")]
fn genuine_tokens_and_links_are_among_the_seeds() {
    let [access, refresh, old_access, old_refresh] = core::tokens();
    let mut genuine = BTreeMap::from([
        ("cookies_and_tokens/both", format!("access_token={access}; refresh_token={refresh}")),
        ("cookies_and_tokens/bearer", format!("theme=dark\nBearer {old_access}")),
        ("cookies_and_tokens/old", format!("a=b; refresh_token={old_refresh}")),
    ]);
    let links = strangers::links();
    for (name, link) in ["signed_urls/document", "signed_urls/video"].into_iter().zip(&links) {
        genuine.insert(name, link.clone());
    }
    genuine
        .insert("signed_urls/more", format!("{}&page=1", links[0].replace("/lesson", "/%6Cesson")));
    for (name, content) in genuine {
        let path = folder(name);
        if std::env::var_os("EDUPRO_WRITE_SEEDS").is_some() {
            fs::write(&path, &content).unwrap();
        }
        let seed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(seed, content, "{name}: run this test with EDUPRO_WRITE_SEEDS=1");
    }
}
