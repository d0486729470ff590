use super::*;

/// The policy of the example "Browser-Based Upload using HTTP POST" in AWS's documentation, whose
/// lines end as they do there.
const EXAMPLE: &str = r#"{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}"#;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_322_000, 0).unwrap()
}

/// A form with everything that a fresh policy asks for.
fn form() -> Form {
    let Value::Object(issued) = issue("orig/0a1b", 1_000, now()) else { panic!("an object") };
    let issued = issued.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned()));
    let constant = [("success_action_status", "201"), ("success_action_redirect", "")];
    let constant = constant.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Form { bucket: BUCKET.to_owned(), fields: issued.chain(constant).collect(), size: 1_000 }
}

#[test]
fn the_published_signature_is_reproduced() {
    let policy = BASE64_STANDARD.encode(EXAMPLE.replace('\n', "\r\n"));
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    assert_eq!(
        sign(secret, "20151229", "us-east-1", &policy),
        "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
    );
}

#[test]
fn the_same_moment_gives_the_same_policy() {
    assert_eq!(issue("orig/0a1b", 1_000, now()), issue("orig/0a1b", 1_000, now()));
    assert_eq!(issue("orig/0a1b", 1_000, now())["x-amz-date"], "20260102T024640Z");
}

#[test]
fn a_form_is_taken_for_an_hour() {
    let form = form();
    assert_eq!(check(&form, now()), Ok(()));
    assert_eq!(check(&form, now() + TimeDelta::hours(1)), Ok(()));
    let message = "Invalid according to Policy: Policy expired.".to_owned();
    let late = now() + TimeDelta::hours(1) + TimeDelta::seconds(1);
    assert_eq!(check(&form, late), Err((403, "AccessDenied", message)));
}

type Change = fn(&mut Form);

fn set(form: &mut Form, name: &str, value: &str) {
    form.fields.insert(name.to_owned(), value.to_owned());
}

fn remove(form: &mut Form, name: &str) {
    form.fields.remove(name).unwrap();
}

/// What is said to a form after a change.
fn refusal(change: Change) -> Result<(), String> {
    let mut form = form();
    change(&mut form);
    check(&form, now()).map_err(|(status, code, message)| format!("{status} {code} {message}"))
}

#[test]
fn what_was_not_signed_is_refused() {
    let denied = "403 AccessDenied Invalid according to Policy: ";
    let failed = format!("{denied}Policy Condition failed: ");
    let needed = "Bucket POST must contain a field named";
    let cases: [(Change, String); 14] = [
        (|form| set(form, "key", "a"), format!(r#"{failed}["eq", "$key", "orig/0a1b"]"#)),
        (|form| form.bucket.clear(), format!(r#"{failed}["eq", "$bucket", "fake-vdo-bucket"]"#)),
        (
            |form| set(form, "success_action_status", "200"),
            format!(r#"{failed}["eq", "$success_action_status", "201"]"#),
        ),
        (
            |form| remove(form, "success_action_status"),
            format!(r#"{failed}["eq", "$success_action_status", "201"]"#),
        ),
        (|form| set(form, "x-amz-date", "now"), format!(r#"{failed}["eq", "$x-amz-date", "#)),
        (|form| set(form, "x-amz-algorithm", "none"), format!(r#"{failed}["eq", "$x-amz-al"#)),
        (|form| set(form, "acl", "public-read"), format!("{denied}Extra input fields: acl")),
        (|form| set(form, "x-amz-signature", ""), "403 SignatureDoesNotMatch The".to_owned()),
        (|form| set(form, "policy", "e30="), "403 SignatureDoesNotMatch The".to_owned()),
        (|form| set(form, "x-amz-credential", "AKIA"), "400 InvalidArgument The".to_owned()),
        (
            |form| set(form, "x-amz-credential", "A/20260101/r/s3/aws4_request"),
            "403 SignatureDoesNotMatch The".to_owned(),
        ),
        (|form| remove(form, "key"), format!("400 InvalidArgument {needed} 'key'.")),
        (|form| remove(form, "policy"), format!("403 AccessDenied {needed} 'policy'.")),
        (|form| remove(form, "x-amz-date"), format!("403 AccessDenied {needed} 'x-amz-date'.")),
    ];
    for (change, expected) in cases {
        let refusal = refusal(change).unwrap_err();
        assert!(refusal.starts_with(&expected), "{refusal} instead of {expected}");
    }
}

#[test]
fn what_the_policy_leaves_open_may_be_anything() {
    let open: [Change; 3] = [
        |form| set(form, "x-ignore-me", "1"),
        |form| set(form, "success_action_redirect", "https://a.example"),
        |form| remove(form, "success_action_redirect"),
    ];
    for change in open {
        assert_eq!(refusal(change), Ok(()));
    }
}

#[test]
fn sizes_have_to_lie_in_the_range() {
    for (size, code) in
        [(0, Some("EntityTooSmall")), (1, None), (1_000, None), (1_001, Some("EntityTooLarge"))]
    {
        let refusal = check(&Form { size, ..form() }, now()).err();
        assert_eq!(refusal.map(|(status, code, _)| (status, code)), code.map(|code| (400, code)));
    }
}
