//! Any JSON, for property tests of the decoders.

use proptest::prelude::*;
use serde_json::Value;

/// JSON of any shape, a few levels deep, with words that mean something to the decoders among its keys.
pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from("x".repeat(2000))),
        prop::sample::select(vec!["trigger", "resolve", "firing", "resolved", "critical", "P1", "+12015550123"])
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        ".{0,8}",
        prop::sample::select(vec![
            "status",
            "labels",
            "annotations",
            "alerts",
            "fingerprint",
            "name",
            "number",
            "href"
        ])
        .prop_map(String::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}
