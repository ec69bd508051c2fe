//! JSON written in one way only: keys sorted by code point, no white space, whole numbers, the shortest escapes, UTF-8.
//!
//! For what the ledger holds this is RFC 8785, and what Python's `json.dumps(x, sort_keys=True,
//! separators=(",", ":"), ensure_ascii=False)` writes.

use std::collections::BTreeMap;

use serde_json::Value;

/// It cannot be written canonically: a number with a fraction, or something that is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it holds a number that is not whole")]
pub struct Unfit;

/// The canonical text of a value.
pub fn text(value: &Value) -> Result<String, Unfit> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), Unfit> {
    match value {
        Value::Number(number) if number.is_f64() => return Err(Unfit),
        // serde_json writes these as RFC 8785 says.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text)?;
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            // Sorted here, whatever map serde_json was built with.
            let fields: BTreeMap<&String, &Value> = fields.iter().collect();
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_is_one_way_to_write_it() {
        let value = json!({"b": [1, -2, null, true], "a": {"z": "\u{7f}é\u{1}\"\\\n/", "Z": u64::MAX}, "": []});
        let expected = r#"{"":[],"a":{"Z":18446744073709551615,"z":"é\u0001\"\\\n/"},"b":[1,-2,null,true]}"#;
        assert_eq!(text(&value).unwrap(), expected.replace("\"é", "\"\u{7f}é"));
    }

    #[test]
    fn a_fraction_has_no_canonical_form() {
        for fraction in ["1.5", "[1.0]", "{\"a\":1e3}", "-0", "1e400"] {
            let refused = serde_json::from_str::<Value>(fraction).map_or(true, |value| text(&value).is_err());
            assert!(refused, "{fraction}");
        }
    }
}
