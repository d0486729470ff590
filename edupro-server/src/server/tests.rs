//! Providers of one's own, chosen by a configuration.

use std::{fs, io};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use edupro_core::{
    grading::AutoGrader,
    mail::{LogMailer, MemoryMailer},
    payment::CouponEngine,
    video::{
        HostError, NewUpload, Playback, UploadTicket, VideoCapabilities, VideoId, VideoInfo, Viewer,
    },
};
use edupro_http::EduPro;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;

use super::*;
use crate::{
    compose,
    config::{ConfigError, Loaded, Sources},
    registry::NameError,
};

/// Where films stand in rows.
#[derive(Debug)]
struct Shelf(&'static str);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShelfOptions {
    token: SecretString,
    #[serde(default)]
    wood: Option<Wood>,
    #[serde(default)]
    rows: u16,
    #[serde(default)]
    dusty: bool,
    #[serde(default)]
    rooms: Vec<String>,
    #[serde(default)]
    height: Height,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Wood;

impl TryFrom<String> for Wood {
    type Error = &'static str;

    fn try_from(_: String) -> Result<Self, Self::Error> {
        Err("must grow on trees")
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Height {
    metres: f64,
}

#[async_trait]
impl VideoProvider for Shelf {
    fn name(&self) -> &'static str {
        self.0
    }

    fn capabilities(&self) -> VideoCapabilities {
        VideoCapabilities::default()
    }

    async fn begin_upload(
        &self,
        _: &NewUpload<'_>,
        _: DateTime<Utc>,
    ) -> Result<UploadTicket, HostError> {
        Err(HostError::NotFound)
    }

    async fn show(&self, _: &VideoId) -> Result<VideoInfo, HostError> {
        Err(HostError::NotFound)
    }

    async fn authorize(
        &self,
        _: &VideoId,
        _: &Viewer<'_>,
        _: DateTime<Utc>,
    ) -> Result<Playback, HostError> {
        Err(HostError::NotFound)
    }

    async fn delete(&self, _: &[VideoId]) -> Result<(), HostError> {
        Ok(())
    }
}

fn shelf(name: &'static str) -> Server {
    Server::new().video(name, move |_: ShelfOptions, _| Ok(Arc::new(Shelf(name))))
}

/// What a server is told by a file and by environment variables.
fn load(server: &Server, file: &str, variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("edupro.toml");
    fs::write(&path, file).unwrap();
    let variables =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Loaded::with(Sources { file: Some(path), variables, addr: None }, &server.registry)
}

/// The refusal, with the file's name cut to its last part.
fn refusal(server: &Server, file: &str, variables: &[(&str, &str)]) -> String {
    let message = load(server, file, variables).expect_err("this must not be accepted").to_string();
    match message.find("edupro.toml") {
        Some(start) => message[start..].to_owned(),
        None => message,
    }
}

/// The school of a configuration, in a directory of its own.
async fn school(server: &Server, file: &str) -> anyhow::Result<EduPro> {
    let directory = TempDir::new().unwrap();
    let place = directory.path().join("data").display().to_string();
    let loaded = load(server, file, &[("EDUPRO_DATA_DIR", &place)])?;
    compose::edupro(&loaded, compose::database(&loaded).await?)
}

#[tokio::test]
async fn a_provider_of_ones_own_is_chosen_by_its_name() {
    let server = shelf("shelf");
    let file = "[video]\nprovider = \"shelf\"\n[video.shelf]\ntoken = \"t\"";
    let edupro = school(&server, file).await.unwrap();
    assert_eq!(edupro.school().video.current().name(), "shelf");
    assert!(edupro.school().video.by_name("local").is_some());
    // It may be there without being used.
    let edupro = school(&server, "").await.unwrap();
    assert_eq!(edupro.school().video.current().name(), "local");
    assert!(edupro.school().video.by_name("shelf").is_none());
}

#[tokio::test]
async fn every_section_has_its_own() {
    let server = Server::new()
        .mailer("pigeons", |NoOptions {}, config: &Config| {
            assert_eq!(config.mail.from, "School <mail@school.example>");
            Ok(Arc::new(MemoryMailer::default()))
        })
        .payment("free", |NoOptions {}, _| Ok(Arc::new(CouponEngine)))
        .grader("robot", |NoOptions {}, _| Ok(Arc::new(AutoGrader)))
        .files("memory", |NoOptions {}, _| Ok(FileStore::in_memory()?));
    let file = "[mail]\nprovider = \"pigeons\"\nfrom = \"School <mail@school.example>\"\n[files]\n\
                provider = \"memory\"";
    let edupro = school(&server, file).await.unwrap();
    let mailer = format!("{:?}", edupro.school().mailer);
    assert!(mailer.contains("MemoryMailer"), "{mailer}");
    let files = format!("{:?}", edupro.school().files);
    assert!(!files.contains("LocalFileSystem"), "{files}");
    // They say something else of themselves, so an order or a ticket would not be found again.
    for (section, name, own) in [("payment", "free", "coupon"), ("grading", "robot", "auto")] {
        let file = format!("[{section}]\nprovider = \"{name}\"");
        assert_eq!(
            school(&server, &file).await.unwrap_err().to_string(),
            format!(
                "the default: `{section}.{name}` cannot be used: its own name is {own:?}: the \
                 program must add it under that name"
            )
        );
    }
}

#[tokio::test]
async fn who_still_has_old_videos_plays_them() {
    let server = shelf("shelf").video("attic", |_: ShelfOptions, _| Ok(Arc::new(Shelf("attic"))));
    let file = "[video]\nprovider = \"attic\"\n[video.shelf]\ntoken = \"t\"\n[video.attic]\n\
                token = \"t\"";
    let edupro = school(&server, file).await.unwrap();
    let video = &edupro.school().video;
    assert_eq!(video.current().name(), "attic");
    assert!(video.by_name("shelf").is_some());
    // Back to this server.
    let edupro = school(&server, "[video.shelf]\ntoken = \"t\"").await.unwrap();
    let video = &edupro.school().video;
    assert_eq!(video.current().name(), "local");
    assert!(video.by_name("shelf").is_some() && video.by_name("attic").is_none());
}

#[test]
fn an_unknown_name_lists_the_valid_ones() {
    let server = shelf("shelf").mailer("pigeons", |NoOptions {}, _| Ok(Arc::new(LogMailer)));
    assert_eq!(
        refusal(&server, "[video]\nprovider = \"youtube\"", &[]),
        "edupro.toml: `video.provider` must be one of local, vdocipher, bunny, shelf, not \
         \"youtube\""
    );
    assert_eq!(
        refusal(&server, "", &[("EDUPRO_MAIL__PROVIDER", "shelf")]),
        "EDUPRO_MAIL__PROVIDER: `mail.provider` must be one of file, smtp, log, pigeons, not \
         \"shelf\""
    );
    assert_eq!(
        refusal(&server, "[grading]\nprovider = \"shelf\"", &[]),
        "edupro.toml: `grading.provider` must be one of auto, not \"shelf\""
    );
}

#[test]
fn options_are_read_like_other_keys() {
    let server = shelf("shelf");
    let chosen = "[video]\nprovider = \"shelf\"\n";
    for (file, variables, message) in [
        (
            "[video.shelf]\ntoken = \"t\"\ncolour = \"red\"",
            &[][..],
            "edupro.toml: there is no key `video.shelf.colour`; choose from token, wood, rows, \
             dusty, rooms, height",
        ),
        (
            "[video.shelf]\ntoken = \"t\"",
            &[("EDUPRO_VIDEO__SHELF__ROW", "3")],
            "EDUPRO_VIDEO__SHELF__ROW: there is no key `video.shelf.row`; choose from token, wood, \
             rows, dusty, rooms, height",
        ),
        (
            "[video.shelf.height]\nfeet = 3",
            &[("EDUPRO_VIDEO__SHELF__TOKEN", "t")],
            "edupro.toml: there is no key `video.shelf.height.feet`; choose from metres",
        ),
        (chosen, &[], "the default: `video.shelf.token` is needed to use \"shelf\""),
        (
            "[video.shelf]\ntoken = \"t\"\nrows = \"hunter2\"",
            &[],
            "edupro.toml: `video.shelf.rows` must be a whole number in its range",
        ),
        (
            "[video.shelf]\ntoken = \"t\"\nrows = \"3\"",
            &[],
            "edupro.toml: `video.shelf.rows` must be a whole number in its range",
        ),
        (
            "[video.shelf]\ntoken = 31415926535",
            &[],
            "edupro.toml: `video.shelf.token` must be text in quotes",
        ),
        (
            "[video.shelf]\ntoken = \"t\"\nheight = 3",
            &[],
            "edupro.toml: `video.shelf.height` must be a table of keys",
        ),
        (
            "[video.shelf]\ntoken = \"t\"\nrooms = [1]",
            &[],
            "edupro.toml: `video.shelf.rooms` must be text in quotes",
        ),
        (
            "[video.shelf]\ntoken = \"t\"",
            &[("EDUPRO_VIDEO__SHELF__ROWS", "70000")],
            "EDUPRO_VIDEO__SHELF__ROWS: `video.shelf.rows` must be a whole number in its range",
        ),
        (
            "[video.shelf]\ntoken = \"t\"",
            &[("EDUPRO_VIDEO__SHELF__DUSTY", "very")],
            "EDUPRO_VIDEO__SHELF__DUSTY: `video.shelf.dusty` must be true or false",
        ),
        (
            "[video.shelf]\ntoken = \"t\"",
            &[("EDUPRO_VIDEO__SHELF__WOOD", "3")],
            "EDUPRO_VIDEO__SHELF__WOOD: `video.shelf.wood` must grow on trees",
        ),
        (
            "",
            &[("EDUPRO_VIDEO__SHELF", "3")],
            "EDUPRO_VIDEO__SHELF: there is no key `video.shelf`; choose from provider, api_secret, \
             webhook_token, base_url, player_url, bunny_library_id, bunny_api_key, \
             bunny_read_only_key, bunny_token_key, bunny_base_url, shelf",
        ),
        ("[video]\nshelf = 3", &[], "edupro.toml: `video.shelf` must be a table of keys"),
        // Whoever is not in this server has no table.
        (
            "[video.attic]\ntoken = \"t\"",
            &[],
            "edupro.toml: there is no key `video.attic`; choose from provider, api_secret, \
             webhook_token, base_url, player_url, bunny_library_id, bunny_api_key, \
             bunny_read_only_key, bunny_token_key, bunny_base_url, shelf",
        ),
        (
            "",
            &[("EDUPRO_MAIL__SHELF__TOKEN", "t")],
            "EDUPRO_MAIL__SHELF__TOKEN: there is no key `mail.shelf.token`; choose from provider, \
             from, templates, host, port, tls, username, password",
        ),
        (
            "[shelf]\ntoken = \"t\"",
            &[],
            "edupro.toml: there is no key `shelf`; choose from data_dir, http, database, auth, \
             enrollment, mail, video, files, payment, grading, log",
        ),
    ] {
        assert_eq!(refusal(&server, file, variables), message, "{file}");
    }
    assert!(refusal(&Server::new(), "[video.shelf]\ntoken = \"t\"", &[]).contains("`video.shelf`"));
}

#[tokio::test]
async fn environment_variables_have_the_types_of_their_options() {
    let server = Server::new().video("shelf", |options: ShelfOptions, _| {
        assert_eq!(options.token.expose_secret(), "007");
        assert_eq!((options.rows, options.dusty), (3, true));
        assert!(options.wood.is_none());
        assert_eq!(options.rooms, ["a", "b"]);
        assert!((options.height.metres - 2.5).abs() < 0.01);
        Ok(Arc::new(Shelf("shelf")))
    });
    let loaded = load(
        &server,
        "[video.shelf]\ntoken = \"in the file\"\nrows = 1",
        &[
            ("EDUPRO_VIDEO__PROVIDER", "shelf"),
            ("EDUPRO_VIDEO__SHELF__TOKEN", "007"),
            ("EDUPRO_VIDEO__SHELF__ROWS", "3"),
            ("EDUPRO_VIDEO__SHELF__DUSTY", "true"),
            ("EDUPRO_VIDEO__SHELF__ROOMS", "[\"a\", \"b\"]"),
            ("EDUPRO_VIDEO__SHELF__HEIGHT__METRES", "2.5"),
        ],
    );
    let loaded = loaded.unwrap();
    loaded.own.video[0].make(&loaded.config).unwrap();
}

#[test]
fn options_are_shown_with_their_places_and_every_text_is_a_secret() {
    let file = "[video.shelf]\ntoken = \"hunter2\"\nrows = 3\nrooms = [\"hunter2\"]\n\
                [video.shelf.height]\nmetres = 2.5";
    let variables = [("EDUPRO_VIDEO__SHELF__DUSTY", "true")];
    let loaded = load(&shelf("shelf"), file, &variables).unwrap();
    let toml = loaded.to_toml();
    assert!(!toml.contains("hunter2") && !format!("{loaded:?}").contains("hunter2"), "{toml}");
    let (_, table) = toml.split_once("\n[video.shelf]\n").unwrap();
    let lines: Vec<_> = table.lines().map(|line| line.split_once(" # ").unwrap()).collect();
    let shown: Vec<_> = lines.iter().map(|(line, _)| line.trim_end()).collect();
    assert_eq!(
        shown,
        ["dusty = true", "height.metres = 2.5", "rooms = \"***\"", "rows = 3", "token = \"***\""]
    );
    assert_eq!(lines[0].1, "EDUPRO_VIDEO__SHELF__DUSTY");
    assert!(lines[4].1.ends_with("edupro.toml"), "{toml}");
    // A provider that has no table is not shown.
    assert!(!load(&shelf("shelf"), "", &[]).unwrap().to_toml().contains("shelf"));
}

#[cfg(unix)]
#[test]
fn a_file_with_texts_of_ones_own_that_everybody_reads_is_noticed() {
    use std::os::unix::fs::PermissionsExt;

    let directory = TempDir::new().unwrap();
    let path = directory.path().join("edupro.toml");
    fs::write(&path, "[video.shelf]\ntoken = \"t\"").unwrap();
    for (mode, exposed) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let sources = Sources { file: Some(path.clone()), ..Sources::default() };
        let loaded = Loaded::with(sources, &shelf("shelf").registry).unwrap();
        assert_eq!(loaded.exposed_file().is_some(), exposed);
    }
}

#[test]
fn a_table_of_who_is_not_chosen_is_a_mistake_but_for_videos() {
    let server = Server::new().mailer("pigeons", |NoOptions {}, _| Ok(Arc::new(LogMailer)));
    assert_eq!(
        refusal(&server, "[mail.pigeons]", &[]),
        "edupro.toml: `mail.pigeons` belongs to `mail.provider = \"pigeons\"`: set that, or leave \
         this out"
    );
    // And the keys of a provider of this server, where somebody else is chosen.
    assert_eq!(
        refusal(&server, "[mail]\nprovider = \"pigeons\"\nport = 25", &[]),
        "edupro.toml: `mail.port` belongs to `mail.provider = \"smtp\"`: set that, or leave this out"
    );
}

#[tokio::test]
async fn what_a_provider_refuses_is_said_with_its_table() {
    let server = Server::new().video("shelf", |_: ShelfOptions, _| {
        Err(io::Error::other("the token is for another shelf").into())
    });
    let error = school(&server, "[video.shelf]\ntoken = \"t\"").await.unwrap_err();
    let said = error.to_string();
    assert!(error.is::<ConfigError>(), "{said}");
    assert!(
        said.ends_with("edupro.toml: `video.shelf` cannot be used: the token is for another shelf"),
        "{said}"
    );
}

#[test]
fn a_name_that_cannot_be_told_apart_is_refused() {
    let check = |server: Server| server.registry.check().map_err(|error| error.to_string());
    assert_eq!(check(shelf("shelf")), Ok(()));
    let refused = |server| check(server).unwrap_err();
    assert_eq!(
        refused(shelf("bunny")),
        "\"bunny\" of `video.provider` comes with this server: choose another name in the program"
    );
    let twice = shelf("shelf").video("shelf", |_: NoOptions, _| Err("never made".into()));
    assert_eq!(
        refused(twice),
        "\"shelf\" of `video.provider` is added twice: choose another name in the program"
    );
    let key = Server::new().mailer("host", |NoOptions {}, _| Ok(Arc::new(LogMailer)));
    assert_eq!(
        refused(key),
        "\"host\" of `mail.provider` is a key of the same section: choose another name in the \
         program"
    );
    for name in ["", "My_Shelf", "a.b"] {
        let error = shelf(name).registry.check().unwrap_err();
        assert_eq!(error, NameError::NotAWord { key: "video.provider", name });
    }
    // The same name in two sections is two names.
    let both = shelf("mine").mailer("mine", |NoOptions {}, _| Ok(Arc::new(LogMailer)));
    assert_eq!(check(both), Ok(()));
}
