//! A page in a browser, steered by the `DevTools` protocol: JSON texts that end with a zero.

use std::{
    io::{BufRead, BufReader, Write},
    process::{ChildStdin, ChildStdout},
};

use serde_json::{Value, json};

use crate::{chromium::Chromium, support::eventually};

/// A page that is open, and what was noted of it.
pub(crate) struct Tab {
    // Before the browser, which goes when this is closed.
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    browser: Chromium,
    session: Value,
    count: u64,
    events: Vec<Value>,
}

impl Tab {
    /// A page of this size in a new browser, in which nothing has been opened yet.
    pub(crate) fn new(width: u32, height: u32) -> Self {
        let mut browser = Chromium::steered();
        let (orders, answers) = browser.pipe();
        let answers = BufReader::new(answers);
        let (session, events) = (Value::Null, Vec::new());
        let mut tab = Self { orders, answers, browser, session, count: 0, events };
        let made = tab.ask("Target.createTarget", &json!({"url": "about:blank"}));
        let target = json!({"targetId": made["targetId"], "flatten": true});
        tab.session = tab.ask("Target.attachToTarget", &target)["sessionId"].take();
        for domain in ["Log", "Network", "Page", "Runtime"] {
            tab.ask(&format!("{domain}.enable"), &json!({}));
        }
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": true});
        tab.ask("Emulation.setDeviceMetricsOverride", &size);
        tab
    }

    /// Goes to a page.
    pub(crate) fn open(&mut self, url: &str) {
        self.ask("Page.navigate", &json!({"url": url}));
    }

    /// What an expression is in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.ask("Runtime.evaluate", &asked);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn until(&mut self, expression: &str) {
        let holds = format!("Boolean({expression})");
        eventually(expression, async || self.value(&holds).as_bool().filter(|holds| *holds)).await;
    }

    /// The addresses of all that was asked for so far.
    pub(crate) fn requests(&self) -> Vec<&str> {
        let sent = self.told("Network.requestWillBeSent");
        sent.map(|event| event["request"]["url"].as_str().unwrap()).collect()
    }

    /// What the browser finds fault with, and what scripts have said: errors, refusals of the
    /// page's policy, answers that are none.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let methods = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];
        methods.iter().flat_map(|method| self.told(method)).map(Value::to_string).collect()
    }

    fn told(&self, method: &str) -> impl Iterator<Item = &Value> {
        let told = self.events.iter().filter(move |event| event["method"] == method);
        told.map(|event| &event["params"])
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.count += 1;
        let mut order = json!({"id": self.count, "method": method, "params": parameters});
        if !self.session.is_null() {
            order["sessionId"] = self.session.clone();
        }
        self.orders.write_all(format!("{order}\0").as_bytes()).unwrap();
        loop {
            let mut said = Vec::new();
            self.answers.read_until(0, &mut said).unwrap();
            assert_eq!(said.pop(), Some(0), "Chromium has ended: {}", self.browser.log());
            let mut said: Value = serde_json::from_slice(&said).unwrap();
            if said["id"] == self.count {
                assert_eq!(said["error"], Value::Null, "{method}");
                return said["result"].take();
            }
            self.events.push(said);
        }
    }
}
