//! What a form has to hold for the bucket to take its film, and the signature over that.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use edupro_core::entropy::hex;
use serde_json::{Value, json};

use super::state::BUCKET;

const ACCESS_KEY: &str = "AKIAFAKEFAKEFAKEFAKE";
const SECRET_KEY: &str = "fake/secret/key";
const REGION: &str = "ap-southeast-1";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How long a policy is good.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// Without these no form is looked at.
const NEEDED: [&str; 6] =
    ["key", "policy", "x-amz-signature", "x-amz-credential", "x-amz-date", "x-amz-algorithm"];

/// A form, as far as its film has not to be kept.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) bucket: String,
    /// What stands before the film, by names in lower case.
    pub(super) fields: BTreeMap<String, String>,
    /// How large the film is, in bytes.
    pub(super) size: u64,
}

/// Why a form is refused: a status, a code, and a message.
pub(super) type Refusal = (u16, &'static str, String);

/// The fields that allow an upload of up to `limit` bytes.
pub(super) fn issue(key: &str, limit: u64, now: DateTime<Utc>) -> Value {
    let (day, time) = (now.format("%Y%m%d").to_string(), now.format("%Y%m%dT%H%M%SZ").to_string());
    let credential = format!("{ACCESS_KEY}/{day}/{REGION}/s3/aws4_request");
    let policy = json!({
        "expiration": (now + LIFETIME).format("%Y-%m-%dT%H:%M:%S.000Z").to_string(),
        "conditions": [
            {"bucket": BUCKET},
            {"key": key},
            {"success_action_status": "201"},
            ["starts-with", "$success_action_redirect", ""],
            ["content-length-range", 1, limit],
            {"x-amz-credential": credential},
            {"x-amz-algorithm": ALGORITHM},
            {"x-amz-date": time},
        ],
    });
    let policy = BASE64_STANDARD.encode(policy.to_string());
    json!({
        "x-amz-signature": sign(SECRET_KEY, &day, REGION, &policy),
        "policy": policy, "key": key, "x-amz-algorithm": ALGORITHM,
        "x-amz-date": time, "x-amz-credential": credential,
    })
}

/// Version 4 of AWS's signature over a policy.
fn sign(secret: &str, day: &str, region: &str, policy: &str) -> String {
    let step = |key: &[u8], text: &str| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    };
    let key = step(format!("AWS4{secret}").as_bytes(), day);
    let key = [region, "s3", "aws4_request"].iter().fold(key, |key, text| step(&key, text));
    hex(&step(&key, policy))
}

fn denied(message: &str) -> Refusal {
    (403, "AccessDenied", format!("Invalid according to Policy: {message}"))
}

/// Whether a form may come in.
pub(super) fn check(form: &Form, now: DateTime<Utc>) -> Result<(), Refusal> {
    let fields = &form.fields;
    if let Some(name) = NEEDED.into_iter().find(|name| !fields.contains_key(*name)) {
        let (status, code) =
            if name == "key" { (400, "InvalidArgument") } else { (403, "AccessDenied") };
        return Err((status, code, format!("Bucket POST must contain a field named '{name}'.")));
    }
    let scope: Vec<_> = fields["x-amz-credential"].split('/').collect();
    let &[_, day, region, "s3", "aws4_request"] = scope.as_slice() else {
        return Err((400, "InvalidArgument", "The credential is malformed.".to_owned()));
    };
    let signature = sign(SECRET_KEY, day, region, &fields["policy"]);
    verify_slices_are_equal(signature.as_bytes(), fields["x-amz-signature"].as_bytes()).map_err(
        |_| {
            let message = "The request signature we calculated does not match the signature you \
                           provided.";
            (403, "SignatureDoesNotMatch", message.to_owned())
        },
    )?;
    let policy = BASE64_STANDARD.decode(&fields["policy"]).unwrap_or_default();
    let policy: Value = serde_json::from_slice(&policy).unwrap_or_default();
    let expiration = policy["expiration"].as_str().and_then(|text| text.parse().ok());
    if expiration.is_none_or(|expiration: DateTime<Utc>| expiration < now) {
        return Err(denied("Policy expired."));
    }
    let mut named: BTreeSet<&str> = ["policy", "x-amz-signature"].into();
    for condition in policy["conditions"].as_array().into_iter().flatten() {
        hold(form, condition, &mut named)?;
    }
    let is_extra =
        |name: &&String| !named.contains(name.as_str()) && !name.starts_with("x-ignore-");
    match fields.keys().find(is_extra) {
        Some(name) => Err(denied(&format!("Extra input fields: {name}"))),
        None => Ok(()),
    }
}

/// Whether one condition holds; notes which field it is about.
fn hold<'a>(
    form: &Form,
    condition: &'a Value,
    named: &mut BTreeSet<&'a str>,
) -> Result<(), Refusal> {
    if let Some((name, wanted)) = condition.as_object().and_then(|pairs| pairs.iter().next()) {
        named.insert(name);
        let sent = match name.as_str() {
            "bucket" => Some(form.bucket.as_str()),
            name => form.fields.get(name).map(String::as_str),
        };
        return match sent == wanted.as_str() {
            true => Ok(()),
            false => {
                Err(denied(&format!("Policy Condition failed: [\"eq\", \"${name}\", {wanted}]")))
            }
        };
    }
    match condition[0].as_str() {
        Some("content-length-range") => {
            let (least, most) = (condition[1].as_u64(), condition[2].as_u64());
            if most.is_some_and(|most| form.size > most) {
                let message = "Your proposed upload exceeds the maximum allowed size";
                return Err((400, "EntityTooLarge", message.to_owned()));
            }
            if least.is_some_and(|least| form.size < least) {
                let message = "Your proposed upload is smaller than the minimum allowed size";
                return Err((400, "EntityTooSmall", message.to_owned()));
            }
            Ok(())
        }
        Some("starts-with") => {
            let name = condition[1].as_str().unwrap_or_default().trim_start_matches('$');
            named.insert(name);
            let sent = form.fields.get(name).map_or("", String::as_str);
            match sent.starts_with(condition[2].as_str().unwrap_or_default()) {
                true => Ok(()),
                false => Err(denied(&format!("Policy Condition failed: {condition}"))),
            }
        }
        _ => Err(denied(&format!("Policy Condition failed: {condition}"))),
    }
}

#[cfg(test)]
mod tests;
