//! From the first start to the last log-out.

use std::fs;

use serde_json::json;

use crate::{
    client::multipart,
    home::{Home, mode},
    support::{
        CONFIRM_RESET, LOGIN, LOGOUT, PASSWORD, PROFILE, REFRESH, REQUEST_RESET, UPDATE, code,
        credentials, eventually, png, teacher,
    },
};

#[tokio::test]
async fn with_nothing_configured_it_serves_and_remembers() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let output = server.output();
    for place in ["sqlite://edupro-data/edupro.db", "mail: edupro-data/mail", "data: edupro-data"] {
        assert!(output.contains(place), "{output}");
    }
    let visitor = server.visitor();
    assert_eq!(visitor.get("/healthz").await.expect(200).json(), json!({"status": "ok"}));
    let ready = json!({"status": "ok", "database": "ok", "files": "ok"});
    assert_eq!(visitor.get("/readyz").await.expect(200).json(), ready);
    let index = visitor.get("/api/v1").await.expect(200).json();
    assert_eq!(index[0], format!("http://{}{LOGIN}", server.address));

    let secret = home.path("edupro-data/secret");
    assert_eq!((mode(&home.path("edupro-data")), mode(&secret)), (0o700, 0o600));
    let written = fs::read_to_string(&secret).unwrap();
    assert_eq!(written.trim().len(), 64);

    let mona = server.teacher("mona", "0100").await;
    assert!(mona.is_signed_in().await);
    server.stop().await;
    let server = home.serve(&[]).await;
    assert!(mona.at(server.address).is_signed_in().await);
    assert_eq!(fs::read_to_string(&secret).unwrap(), written);
}

#[tokio::test]
async fn a_teachers_day() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let mona = server.visitor();
    mona.post("/api/v1/teacher/teacher-register/", &teacher("mona", "0100")).await.expect(201);
    let answer = mona.post(LOGIN, &credentials("mona", PASSWORD)).await.expect(200);
    for (cookie, name, seconds) in [(0, "access_token=", 900), (1, "refresh_token=", 604_800)] {
        let cookie = answer.headers("set-cookie")[cookie];
        let flags = format!("; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}");
        assert!(cookie.starts_with(name) && cookie.ends_with(&flags), "{cookie}");
    }

    // Her picture, from the disk.
    let (kind, form) = multipart("profile_picture", "me.png", &png(60, 40));
    let profile = mona.ask("PATCH", UPDATE, kind, &form).await.expect(200).json();
    let url = profile["profile_picture"].as_str().unwrap();
    let path = url.strip_prefix(&format!("http://{}", server.address)).unwrap();
    let picture = mona.get(path).await.expect(200);
    assert_eq!(picture.header("content-type"), "image/png");
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    let decoded = image::load_from_memory(&picture.body).unwrap().to_rgb8();
    assert_eq!(decoded, image::load_from_memory(&png(60, 40)).unwrap().to_rgb8());
    let file = home.path("edupro-data/files").join(path.trim_start_matches('/'));
    assert_eq!(fs::read(&file).unwrap(), picture.body);

    // Her tokens.
    let stale = mona.at(server.address);
    mona.post(REFRESH, &json!({})).await.expect(200);
    assert_ne!(mona.cookie("refresh_token"), stale.cookie("refresh_token"));
    assert!(mona.is_signed_in().await);

    // All of it is there after a restart.
    server.stop().await;
    let server = home.serve(&[]).await;
    let mona = mona.at(server.address);
    let profile = mona.get(PROFILE).await.expect(200).json();
    assert_eq!(profile["profile_picture"], format!("http://{}{path}", server.address));
    assert_eq!(mona.get(path).await.expect(200).body, picture.body);

    // A 205 with a body, as the contract wants it.
    let stolen = mona.at(server.address);
    let goodbye = mona.ask("POST", LOGOUT, "", b"").await.expect(205);
    assert_eq!(goodbye.body, br#"{"message":"Logged out successfully"}"#);
    assert_eq!(goodbye.header("content-length"), "37");
    assert_eq!(mona.cookie("access_token"), None);
    assert!(!stolen.is_signed_in().await);
    stolen.post(REFRESH, &json!({})).await.expect(401);
}

#[tokio::test]
async fn a_forgotten_password_is_reset_with_the_code_from_the_mail_file() {
    let home = Home::new();
    let server = home.serve(&[]).await;
    let mona = server.teacher("mona", "0100").await;
    let visitor = server.visitor();
    visitor.post(REQUEST_RESET, &json!({"email": "mona@example.com"})).await.expect(200);
    let directory = home.path("edupro-data/mail");
    let mail = eventually("mail", async || {
        let files = fs::read_dir(&directory).ok()?.map(|file| file.unwrap().path());
        let file =
            files.into_iter().find(|file| file.extension().is_some_and(|end| end == "eml"))?;
        assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
        Some(fs::read_to_string(file).unwrap())
    });
    let mail = mail.await;
    assert!(mail.contains("To: mona@example.com"), "{mail}");
    let new = json!({
        "email": "mona@example.com",
        "otp": code(&mail).expect("the mail has a code"),
        "new_password": "an0ther-Pass!",
    });
    visitor.post(CONFIRM_RESET, &new).await.expect(200);
    visitor.post(CONFIRM_RESET, &new).await.expect(400);
    assert!(!mona.is_signed_in().await);
    visitor.post(LOGIN, &credentials("mona", PASSWORD)).await.expect(401);
    visitor.post(LOGIN, &credentials("mona", "an0ther-Pass!")).await.expect(200);
}

#[tokio::test]
async fn a_second_demo_leaves_alone_what_people_have_changed() {
    let home = Home::new();
    let server = home.serve(&["--demo"]).await;
    let mona = server.visitor();
    mona.post(LOGIN, &credentials("mona", "palm-tree-42")).await.expect(200);
    mona.patch(UPDATE, &json!({"bio": "Physics."})).await.expect(200);
    let change = json!({"old_password": "palm-tree-42", "new_password": PASSWORD});
    mona.put("/api/v1/change-password/", &change).await.expect(200);
    server.stop().await;

    let server = home.serve(&["--demo"]).await;
    let mona = mona.at(server.address);
    let profile = mona.get(PROFILE).await.expect(200).json();
    assert_eq!((&profile["bio"], &profile["number_of_students"]), (&json!("Physics."), &json!(3)));
    mona.post(LOGIN, &credentials("mona", "palm-tree-42")).await.expect(401);
}
