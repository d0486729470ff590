//! Where questions stand and what they give together is what a model says, whatever happened before
//! (behaviour 3.20, fault 58).

use std::collections::BTreeMap;

use edupro_http::testkit::{Browser, TestApp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    histories,
    support::{assessment, on_postgres, on_sqlite},
};

/// Something a teacher does to questions. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Act {
    Add { order: Option<u8>, points: u8 },
    Move { which: usize, order: u8 },
    SetPoints { which: usize, points: u8 },
    Drop { which: usize },
}

fn act() -> impl Strategy<Value = Act> {
    // Few places, so that they are often taken.
    let order = || 1..12_u8;
    prop_oneof![
        4 => (proptest::option::of(order()), 1..=u8::MAX)
            .prop_map(|(order, points)| Act::Add { order, points }),
        4 => (any::<usize>(), order()).prop_map(|(which, order)| Act::Move { which, order }),
        1 => (any::<usize>(), 1..=u8::MAX).prop_map(|(which, points)| Act::SetPoints { which, points }),
        2 => any::<usize>().prop_map(|which| Act::Drop { which }),
    ]
}

/// Questions by their order: id and points.
#[derive(Debug, Default)]
struct Model(BTreeMap<i64, (String, i64)>);

impl Model {
    /// Whoever is there moves up by one, and so on.
    fn put(&mut self, order: i64, question: (String, i64)) {
        if let Some(before) = self.0.insert(order, question) {
            self.put(order + 1, before);
        }
    }

    fn nth(&self, which: usize) -> Option<(i64, String)> {
        let at = which.checked_rem(self.0.len())?;
        self.0.iter().nth(at).map(|(order, (id, _))| (*order, id.clone()))
    }

    fn listed(&self) -> Value {
        self.0.iter().map(|(order, (id, points))| json!([order, id, points])).collect()
    }
}

async fn carry_out(mona: &Browser, path: &str, model: &mut Model, act: &Act) {
    let question = |id: &str| format!("/teacher/assessments/questions/{id}/");
    match act {
        Act::Add { order, points } => {
            let body = json!({"question_text": "?", "question_type": "essay", "order": order, "points": points});
            let made = mona.post(path, body).await.json();
            let last = model.0.last_key_value().map_or(0, |(order, _)| *order);
            let id = made["id"].as_str().unwrap().to_owned();
            model.put(order.map_or(last + 1, i64::from), (id, i64::from(*points)));
        }
        Act::Move { which, order } => {
            let Some((from, id)) = model.nth(*which) else { return };
            mona.patch(&question(&id), json!({"order": order})).await;
            let moved = model.0.remove(&from).unwrap();
            model.put(i64::from(*order), moved);
        }
        Act::SetPoints { which, points } => {
            let Some((order, id)) = model.nth(*which) else { return };
            mona.patch(&question(&id), json!({"points": points})).await;
            model.0.insert(order, (id, i64::from(*points)));
        }
        Act::Drop { which } => {
            let Some((order, id)) = model.nth(*which) else { return };
            mona.delete(&question(&id)).await;
            model.0.remove(&order);
        }
    }
}

async fn compare(mona: &Browser, assessment: &str, model: &Model) {
    let shown = mona.get(&format!("/teacher/assessments/{assessment}/")).await.json();
    let questions = shown["questions"].as_array().unwrap();
    let listed = questions.iter().map(|it| json!([it["order"], it["id"], it["points"]]));
    assert_eq!(listed.collect::<Value>(), model.listed());
    let points: i64 = model.0.values().map(|(_, points)| points).sum();
    assert_eq!(
        (&shown["total_questions"], &shown["total_marks"]),
        (&json!(model.0.len()), &json!(format!("{points}.00")))
    );
}

/// Histories of one school, each on an assessment of its own.
fn histories(start: impl Future<Output = TestApp>) {
    let start = async {
        let app = start.await;
        let mona = app.teacher("mona").await;
        (app, mona)
    };
    histories::tell(12, act(), 1..25, start, async |(_, mona), _, acts| {
        let id = assessment(mona, json!({})).await;
        let path = format!("/teacher/assessments/{id}/questions/");
        let mut model = Model::default();
        for act in acts {
            carry_out(mona, &path, &mut model, act).await;
            compare(mona, &id, &model).await;
        }
    });
}

#[test]
fn sqlite() {
    histories(async { on_sqlite().start().await });
}

#[test]
fn postgres() {
    histories(async { on_postgres().await.start().await });
}
