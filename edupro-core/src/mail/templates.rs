//! What mails say.
//!
//! To add one: a variant of [`Template`] with its name and an example, three texts in
//! `templates/`, and their line in [`TEXTS`].

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt::{self, Debug, Formatter},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use minijinja::{Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

/// The texts of one template: subject, text, HTML.
macro_rules! texts {
    ($name:literal) => {
        [
            (
                concat!($name, ".subject.txt"),
                include_str!(concat!("templates/", $name, ".subject.txt")),
            ),
            (concat!($name, ".txt"), include_str!(concat!("templates/", $name, ".txt"))),
            (concat!($name, ".html"), include_str!(concat!("templates/", $name, ".html"))),
        ]
    };
}

/// What the texts say, by their names.
type Texts = HashMap<&'static str, Cow<'static, str>>;

const TEXTS: [[(&str, &str); 3]; 2] = [texts!("password_reset"), texts!("password_changed")];

/// A mail's kind, and the words its texts can use.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "template", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Template {
    /// The code with which a new password can be set (behaviour 1.6).
    PasswordReset {
        /// The code.
        code: String,
        /// How long it can be used.
        minutes: u64,
        /// Whose password it is.
        first_name: String,
    },
    /// Tells that a password was changed, to whoever did not do it.
    PasswordChanged {
        /// Whose password it is.
        first_name: String,
    },
}

impl Template {
    /// What its texts' file names begin with.
    fn name(&self) -> &'static str {
        match self {
            Self::PasswordReset { .. } => "password_reset",
            Self::PasswordChanged { .. } => "password_changed",
        }
    }

    /// One of each, to try the texts with.
    fn examples() -> [Self; TEXTS.len()] {
        let first_name = "Sara".to_owned();
        [
            Self::PasswordReset {
                code: "ABC234".to_owned(),
                minutes: 10,
                first_name: first_name.clone(),
            },
            Self::PasswordChanged { first_name },
        ]
    }
}

/// Only the name: the rest holds codes (security R50).
impl Debug for Template {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct(self.name()).finish_non_exhaustive()
    }
}

/// What a mail says.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// For readers without HTML.
    pub text: String,
    /// For readers with it.
    pub html: Option<String>,
}

/// Only the subject: the texts hold codes (security R50).
impl Debug for Rendered {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rendered").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Why a mail's texts cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A file or the directory cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file has no mail's name, so it would never be used.
    #[error("{} is no mail's text", path.display())]
    Unknown {
        /// Which.
        path: PathBuf,
    },
    /// A text does not say what it should.
    #[error("the mail text {name} cannot be used")]
    Text {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: minijinja::Error,
    },
}

/// The texts of all mails, ready to be filled in.
#[derive(Clone)]
pub struct Templates(Arc<Environment<'static>>);

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// The built-in texts.
    #[must_use]
    pub fn new() -> Self {
        Self::of(built_in())
    }

    /// The built-in texts, except those for which `directory` has a file of the same name, such as
    /// `password_reset.txt`. An empty `.html` file makes its mail plain. All of them are tried.
    pub fn with_directory(directory: &Path) -> Result<Self, TemplateError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| TemplateError::Unreadable { path, source }
        };
        let mut texts = built_in();
        for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
            let path = entry.map_err(unreadable(directory))?.path();
            if !path.extension().is_some_and(|extension| extension == "txt" || extension == "html")
            {
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(text) = texts.get_mut(name) else {
                return Err(TemplateError::Unknown { path });
            };
            *text = fs::read_to_string(&path).map_err(unreadable(&path))?.into();
        }
        let templates = Self::of(texts);
        for example in Template::examples() {
            templates.render(&example)?;
        }
        Ok(templates)
    }

    fn of(texts: Texts) -> Self {
        let mut environment = Environment::new();
        // A misspelt word is an error, not a gap.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_loader(move |name| Ok(texts.get(name).map(ToString::to_string)));
        Self(Arc::new(environment))
    }

    /// Fills in a mail's texts. HTML is escaped, by the text's name.
    pub fn render(&self, template: &Template) -> Result<Rendered, TemplateError> {
        let text = |ending| {
            let name = format!("{}.{ending}", template.name());
            self.0
                .get_template(&name)
                .and_then(|text| text.render(template))
                .map_err(|source| TemplateError::Text { name, source })
        };
        let html = text("html")?;
        Ok(Rendered {
            subject: text("subject.txt")?.split_whitespace().collect::<Vec<_>>().join(" "),
            text: text("txt")?,
            html: (!html.trim().is_empty()).then_some(html),
        })
    }
}

impl Debug for Templates {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Templates").finish_non_exhaustive()
    }
}

fn built_in() -> Texts {
    TEXTS.as_flattened().iter().map(|&(name, text)| (name, text.into())).collect()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn reset() -> Template {
        let (code, first_name) = ("ABC234".to_owned(), "Sara".to_owned());
        Template::PasswordReset { code, minutes: 10, first_name }
    }

    #[test]
    fn every_mail_says_something() -> Result<(), Box<dyn Error>> {
        for template in Template::examples() {
            let mail = Templates::default().render(&template)?;
            let html = mail.html.ok_or("no HTML")?;
            for text in [&mail.subject, &mail.text, &html] {
                assert!(!text.is_empty() && !text.contains("{{"), "{template:?}: {text}");
            }
            assert!(html.contains(&format!("<title>{}</title>", mail.subject)));
        }
        Ok(())
    }

    #[test]
    fn the_reset_mail_keeps_its_words() -> Result<(), Box<dyn Error>> {
        let mail = Templates::new().render(&reset())?;
        assert_eq!(mail.subject, "Password Reset OTP");
        let first = mail.text.lines().next();
        assert_eq!(first, Some("Your OTP code is: ABC234. It will expire in 10 minutes."));
        assert!(!format!("{:?} {mail:?}", reset()).contains("ABC234"));
        Ok(())
    }

    #[test]
    fn html_is_escaped_and_text_is_not() -> Result<(), Box<dyn Error>> {
        let first_name = "<b>Sara & Co</b>".to_owned();
        let mail = Templates::new().render(&Template::PasswordChanged { first_name })?;
        assert!(mail.text.starts_with("Hello <b>Sara & Co</b>,"));
        assert!(mail.html.is_some_and(|html| html.contains("Hello &lt;b&gt;Sara &amp; Co")));
        Ok(())
    }

    #[test]
    fn a_template_is_a_job_that_can_be_stored() -> Result<(), Box<dyn Error>> {
        let json = serde_json::to_value(reset())?;
        assert_eq!(json["template"], "password_reset");
        assert_eq!(serde_json::from_value::<Template>(json)?, reset());
        Ok(())
    }

    #[test]
    fn files_replace_texts() -> Result<(), Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text);
        write("password_reset.subject.txt", "\nرمز\r\n  {{ code }}\n")?;
        write("password_reset.txt", "{{ first_name }}: {{ code }}")?;
        write("password_changed.html", "\n")?;
        write("notes.md", "not a mail")?;
        let templates = Templates::with_directory(directory.path())?;

        let mail = templates.render(&reset())?;
        assert_eq!((mail.subject.as_str(), mail.text.as_str()), ("رمز ABC234", "Sara: ABC234"));
        assert!(mail.html.is_some_and(|html| html.contains("<strong>ABC234</strong>")));
        let changed = Template::PasswordChanged { first_name: "Sara".to_owned() };
        assert_eq!(templates.render(&changed)?.html, None);
        Ok(())
    }

    #[test]
    fn mistakes_in_files_are_found_at_the_start() -> Result<(), Box<dyn Error>> {
        let mistakes = [
            ("password_reset.txt", "{{ kode }}"),
            ("password_reset.html", "{% if code %}"),
            ("password_changed.subject.txt", "{{ code }}"),
            ("password-reset.txt", "{{ code }}"),
        ];
        for (name, text) in mistakes {
            let directory = tempfile::tempdir()?;
            fs::write(directory.path().join(name), text)?;
            let error = Templates::with_directory(directory.path()).err().ok_or(name)?;
            assert!(error.to_string().contains(name), "{error}");
        }
        let nowhere = Path::new("/nowhere/at/all");
        let error = Templates::with_directory(nowhere).err().ok_or("found")?;
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
        Ok(())
    }
}
