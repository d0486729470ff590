//! Bodies: three content types in, typed fields out, all that is wrong with them at once
//! (behaviour G2, G6, G7).
//!
//! A request's fields are declared once, with `form!`; reading, checking and
//! describing them come from that declaration.

pub(crate) mod fields;
pub(crate) mod files;
mod film;
mod flow;
mod input;
mod json;
pub(crate) mod lists;
mod multipart;
pub(crate) mod numbers;
mod pace;
pub(crate) mod several;

use std::marker::PhantomData;

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use edupro_core::files::FileStore;
use serde_json::{Value, json};

use self::{fields::Description, pace::Pace};
pub(crate) use self::{
    film::{FILM_FIELD, FilmForm},
    input::{Input, Raw},
    lists::OneOrMany,
};
use crate::{
    EduPro,
    error::{ApiError, FieldErrors},
    openapi::{self, Describe},
};

/// What a field's rule in a `form!` is made of.
pub(crate) mod rules {
    pub(crate) use super::{fields::*, files::*, lists::*, numbers::*, several::*};
}

/// Largest JSON or urlencoded body, in bytes (behaviour G2).
const TEXT_LENGTH: usize = 1024 * 1024;

/// The fields of a request. Made by `form!`.
pub(crate) trait Form: Sized + Send + 'static {
    /// What could be read of it, a field each.
    type Draft: Send + 'static;

    /// Its fields, by name.
    fn fields() -> Vec<(&'static str, Description)>;

    /// Reads what can be read; what cannot is noted in `input`.
    fn read(input: &mut Input) -> Self::Draft;

    /// The form, if every field could be read.
    fn complete(draft: Self::Draft) -> Option<Self>;

    /// What it is called in a document.
    const NAME: &'static str;

    /// Its fields in a document, with the names that older clients have for them.
    fn document_fields(description: &mut openapi::Description<'_>) -> Vec<DocumentedField>;

    /// What it looks like in JSON.
    fn document(description: &mut openapi::Description<'_>) -> Value {
        description.named(Self::NAME, |description| {
            let fields = Self::document_fields(description);
            fields::object_of(fields.iter().filter(|(_, _, field)| field.is_text))
        })
    }
}

/// A field's name, the one that older clients have for it, and what it is.
pub(crate) type DocumentedField = (&'static str, Option<&'static str>, openapi::Field);

/// What a body may be.
pub(crate) trait BodyOf: 'static {
    /// The form that is in it.
    type Form: Form;

    /// What it looks like in JSON.
    fn document(description: &mut openapi::Description<'_>) -> Value;
}

impl<F: Form> BodyOf for F {
    type Form = F;

    fn document(description: &mut openapi::Description<'_>) -> Value {
        <F as Form>::document(description)
    }
}

impl<F: Form> BodyOf for OneOrMany<F> {
    type Form = F;

    fn document(description: &mut openapi::Description<'_>) -> Value {
        let one = <F as Form>::document(description);
        json!({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]})
    }
}

fn describe<B: BodyOf>(description: &mut openapi::Description<'_>) {
    let json = <B as BodyOf>::document(description);
    let fields = B::Form::document_fields(description);
    let form = <B::Form as Form>::document(description);
    let multipart = match fields.iter().any(|(_, _, field)| field.is_file) {
        true => fields::object_of(fields.iter()),
        false => form.clone(),
    };
    description.is_body_required |= fields.iter().any(|(_, _, field)| field.is_required);
    description.body = vec![
        ("application/json", json),
        ("application/x-www-form-urlencoded", form),
        ("multipart/form-data", multipart),
    ];
    description.fail(StatusCode::BAD_REQUEST);
}

impl<F: Form> Describe for Body<F> {
    fn describe(description: &mut openapi::Description<'_>) {
        describe::<F>(description);
    }
}

impl<B: BodyOf> Describe for Incoming<B> {
    fn describe(description: &mut openapi::Description<'_>) {
        describe::<B>(description);
    }
}

/// A form, read at once: for handlers that have nothing to look up before.
#[derive(Debug)]
pub(crate) struct Body<F>(pub(crate) F);

impl<F, S> FromRequest<S> for Body<F>
where
    F: Form,
    EduPro: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        Incoming::<F>::new(request).read(&EduPro::from_ref(state)).await.map(Self)
    }
}

/// A body that has not been read yet: for handlers that look something up first (behaviour G3).
#[derive(Debug)]
pub(crate) struct Incoming<B> {
    request: Request,
    body: PhantomData<fn() -> B>,
}

impl<B> Incoming<B> {
    const fn new(request: Request) -> Self {
        Self { request, body: PhantomData }
    }
}

impl<B, S: Send + Sync> FromRequest<S> for Incoming<B> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Self::new(request))
    }
}

impl<F: Form> Incoming<F> {
    /// The form, or everything that is wrong with it.
    pub(crate) async fn read(self, edupro: &EduPro) -> Result<F, ApiError> {
        let (draft, errors) = self.draft(edupro).await?;
        whole(draft, errors)
    }

    /// What could be read, and what is wrong with the rest: for handlers that find more.
    pub(crate) async fn draft(self, edupro: &EduPro) -> Result<(F::Draft, FieldErrors), ApiError> {
        let mut input = input::<F>(self.request, &edupro.school().files).await?;
        if !input.has_files() {
            let draft = F::read(&mut input);
            return Ok((draft, input.into_errors()?));
        }
        // Pictures are decoded while they are read: on a thread that may take its time, and one
        // picture a core (security R23).
        let place = edupro.decoders().acquire_owned().await.map_err(|e| ApiError::internal(&e))?;
        let reading = tokio::task::spawn_blocking(move || {
            let _place = place;
            let draft = F::read(&mut input);
            Ok((draft, input.into_errors()?))
        });
        reading.await.map_err(|error| ApiError::internal(&error))?
    }
}

impl<F: Form> Incoming<OneOrMany<F>> {
    /// The form, or several of them in a JSON list, whose errors stand below `field`.
    pub(crate) async fn read(
        self,
        edupro: &EduPro,
        field: &'static str,
        most: usize,
    ) -> Result<OneOrMany<F>, ApiError> {
        if media_type(self.request.headers()) != "application/json" {
            return Incoming::<F>::new(self.request).read(edupro).await.map(OneOrMany::One);
        }
        let Some(sent) = json::value(&text(self.request).await?)? else {
            return read(Input::empty()).map(OneOrMany::One);
        };
        match sent.is_array() {
            true => lists::read_many(sent, field, most).map(OneOrMany::Many),
            false => read(json::input(sent)?).map(OneOrMany::One),
        }
    }
}

/// What a body brings; the files in it wait in the store.
pub(crate) async fn input<F: Form>(request: Request, files: &FileStore) -> Result<Input, ApiError> {
    let headers = request.headers();
    let media_type = media_type(headers);
    match media_type.as_str() {
        "multipart/form-data" => {
            if declared_length(headers) == Some(0) {
                return Ok(Input::empty());
            }
            multipart::read(request, files, &F::fields()).await
        }
        "application/json" => json::parse(&text(request).await?),
        "application/x-www-form-urlencoded" => urlencoded(&text(request).await?),
        _ => match text(request).await?.is_empty() {
            true => Ok(Input::empty()),
            false => Err(ApiError::detail(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("Unsupported media type \"{media_type}\" in request."),
            )),
        },
    }
}

/// The form without files that `input` is, or everything that is wrong with it.
fn read<F: Form>(mut input: Input) -> Result<F, ApiError> {
    let draft = F::read(&mut input);
    whole(draft, input.into_errors()?)
}

/// The form, or everything that is wrong with it.
pub(crate) fn whole<F: Form>(draft: F::Draft, errors: FieldErrors) -> Result<F, ApiError> {
    F::complete(draft).filter(|_| errors.is_empty()).ok_or_else(|| ApiError::fields(errors))
}

/// The media type without its parameters, in lower case; empty when there is none.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large() -> ApiError {
    ApiError::detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large.")
}

/// Refuses a body that says it is larger than `most` before a byte of it is read (security R17).
fn check_length(headers: &HeaderMap, most: u64) -> Result<(), ApiError> {
    match declared_length(headers) {
        Some(length) if length > most => Err(too_large()),
        _ => Ok(()),
    }
}

/// A small body, whole.
pub(super) async fn text(request: Request) -> Result<Bytes, ApiError> {
    check_length(request.headers(), TEXT_LENGTH as u64)?;
    let read = axum::body::to_bytes(request.into_body(), TEXT_LENGTH);
    Pace::small(read).await?.map_err(|error| {
        let over = std::error::Error::source(&error);
        match over.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>) {
            true => too_large(),
            false => ApiError::cut_off(),
        }
    })
}

fn urlencoded(body: &[u8]) -> Result<Input, ApiError> {
    let mut input = Input::empty();
    for (number, (key, value)) in form_urlencoded::parse(body).enumerate() {
        if number == multipart::PARTS {
            let words = "Form parse error - too many fields";
            return Err(ApiError::detail(StatusCode::BAD_REQUEST, words));
        }
        input.put(key.into_owned(), Raw::Text(value.into_owned()));
    }
    Ok(input)
}

/// Declares a request's fields, once: name, type and rule. `name | older` is also read under the name
/// that earlier clients send.
///
/// ```ignore
/// form! {
///     /// 1.1, 1.2: who logs in.
///     pub(crate) struct Login / LoginDraft {
///         email: Email = required(email()),
///         password: String = required(password()),
///     }
/// }
/// ```
macro_rules! form {
    (
        $(#[$doc:meta])*
        $visibility:vis struct $form:ident / $draft:ident {
            $($field:ident $(| $older:ident)?: $type:ty = $rule:expr,)*
        }
    ) => {
        $(#[$doc])*
        $visibility struct $form {
            $($visibility $field: $type,)*
        }

        #[doc = concat!("What could be read of a [`", stringify!($form), "`].")]
        $visibility struct $draft {
            $($visibility $field: Option<$type>,)*
        }

        /// Forms hold passwords and codes: only the name is shown.
        impl std::fmt::Debug for $form {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(stringify!($form))
            }
        }

        impl $crate::extract::body::Form for $form {
            type Draft = $draft;

            fn fields() -> Vec<(&'static str, $crate::extract::body::fields::Description)> {
                use $crate::extract::body::rules::*;
                vec![$((stringify!($field), $rule.describe()),)*]
            }

            fn read(input: &mut $crate::extract::body::Input) -> $draft {
                use $crate::extract::body::rules::*;
                $draft {
                    $($field: {
                        let older = None$(.or(Some(stringify!($older))))?;
                        input.read(stringify!($field), older, &$rule)
                    },)*
                }
            }

            fn complete(draft: $draft) -> Option<Self> {
                Some(Self { $($field: draft.$field?,)* })
            }

            const NAME: &'static str = stringify!($form);

            fn document_fields(
                description: &mut $crate::openapi::Description<'_>,
            ) -> Vec<$crate::extract::body::DocumentedField> {
                use $crate::extract::body::rules::*;
                vec![$({
                    let older = None$(.or(Some(stringify!($older))))?;
                    (stringify!($field), older, $rule.document(description))
                },)*]
            }
        }
    };
}
pub(crate) use form;
