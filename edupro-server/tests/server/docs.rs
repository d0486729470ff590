//! The API's page in a real browser: everything is there, and calls can be tried.

use serde_json::{Value, json};

use crate::{
    home::Home,
    support::{DEMO_PASSWORD, credentials},
    tab::Tab,
};

/// What a page's elements say.
fn texts(tab: &mut Tab, selector: &str) -> Vec<String> {
    let all = format!("[...document.querySelectorAll('{selector}')].map((one) => one.textContent)");
    serde_json::from_value(tab.value(&all)).unwrap()
}

/// Fills the form at the top of the page in, and sends it.
async fn log_in(tab: &mut Tab, credentials: &Value, shown: &str) {
    tab.value("document.getElementById('who').click()");
    for name in ["email", "password"] {
        let field = format!("document.getElementById('log-in').elements.{name}");
        tab.value(&format!("{field}.value = {}", credentials[name]));
    }
    tab.value("document.querySelector('#log-in .main').click()");
    tab.until(&format!("document.getElementById('who').textContent === '{shown}'")).await;
}

/// Opens an operation, sends it as it stands there, and gives what the page then shows of it.
async fn send(tab: &mut Tab, operation: &str) -> String {
    tab.value(&format!("document.querySelector('#{operation} > summary').click()"));
    tab.until(&format!("document.querySelector('#{operation} .main')")).await;
    tab.value(&format!("document.querySelector('#{operation} .main').click()"));
    let answered = format!("document.querySelector('#{operation} .answer strong')");
    tab.until(&answered).await;
    texts(tab, &format!("#{operation} .answer")).concat()
}

/// Looks for operations with these words.
fn find(tab: &mut Tab, words: &str) {
    let field = "document.getElementById('find')";
    tab.value(&format!("{field}.value = '{words}'; {field}.dispatchEvent(new Event('input'))"));
}

#[tokio::test]
async fn the_api_is_read_and_tried_on_a_phone_without_another_host() {
    let home = Home::new();
    let server = home.serve(&["--demo"]).await;
    let base = format!("http://api.school.example:{}", server.address.port());
    let mut tab = Tab::new(390, 844);
    tab.open(&format!("{base}/docs"));
    tab.until("document.querySelector('#operations > section:last-child .operation')").await;

    let document = server.visitor().get("/api/v1/openapi.json").await.expect(200).json();
    let tags = document["tags"].as_array().unwrap();
    let names: Vec<_> = tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(texts(&mut tab, "#operations h2"), names);
    assert_eq!(texts(&mut tab, "#sections a"), names);
    let paths = document["paths"].as_object().unwrap().values();
    let count: usize = paths.map(|methods| methods.as_object().unwrap().len()).sum();
    assert_eq!(texts(&mut tab, ".operation").len(), count);

    log_in(&mut tab, &credentials("mona", DEMO_PASSWORD), "mona@example.com (teacher)").await;
    let courses = send(&mut tab, "courses_list_own").await;
    assert!(courses.starts_with("200 OK"), "{courses}");
    assert!(courses.contains(r#""title": "Mechanics for beginners""#), "{courses}");
    // What stands in a form is sent: a body, made of what the document says of it.
    let coupons = send(&mut tab, "coupons_create").await;
    assert!(coupons.starts_with("201 Created") && coupons.contains(r#""code": "#), "{coupons}");

    find(&mut tab, "post coupon");
    assert_eq!(texts(&mut tab, "section:not([hidden]) h2"), ["5. Coupon Management"]);
    find(&mut tab, "");

    // Nothing is wider than the phone, whatever is open.
    for selector in [".operation", ".operation > details, .call > details"] {
        let all = format!("[...document.querySelectorAll('{selector}')]");
        tab.value(&format!("{all}.forEach((one) => {{ one.open = true }})"));
        tab.until(&format!("{all}.every((one) => one.children.length > 1)")).await;
    }
    assert_eq!(tab.value("document.documentElement.scrollWidth"), json!(390));

    let foreign = |url: &&str| !url.starts_with(&base) && !url.starts_with("data:");
    let requests = tab.requests();
    assert_eq!(requests.iter().copied().find(|url| foreign(url)), None);
    assert!(requests.contains(&format!("{base}/docs/page.js").as_str()), "{requests:?}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
