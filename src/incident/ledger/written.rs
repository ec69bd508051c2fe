//! A file as the ledger writes it: one canonical JSON object that names its format, written in no other way.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::canonical;

/// The format that a text names, if it is a JSON object that names one.
pub fn format(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
    }
    serde_json::from_slice::<Named>(bytes).ok().map(|named| named.format)
}

/// Reads something of this format, and tells what is wrong with how it is written. A line feed after it is part of it.
pub fn read<T: Serialize + DeserializeOwned>(bytes: &[u8], format: &str) -> (Option<T>, Vec<String>) {
    let mut wrong = Vec::new();
    let whole = value(bytes, &mut wrong).and_then(|value| typed(value, format, &mut wrong));
    (whole, wrong)
}

fn value(bytes: &[u8], wrong: &mut Vec<String>) -> Option<Value> {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            wrong.push(format!("it is not JSON: {error}"));
            return None;
        }
    };
    let own = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    match canonical::text(&value) {
        Ok(text) if text.as_bytes() == own => {}
        Ok(text) => {
            let place = text.bytes().zip(own).take_while(|(ours, theirs)| ours == *theirs).count() + 1;
            wrong.push(format!("it was not written by Ringdown, or was reformatted: byte {place} is another"));
        }
        Err(unfit) => wrong.push(unfit.to_string()),
    }
    Some(value)
}

fn typed<T: Serialize + DeserializeOwned>(value: Value, format: &str, wrong: &mut Vec<String>) -> Option<T> {
    if value["format"] != format {
        wrong.push(format!("it is not of the format `{format}`"));
        return None;
    }
    match serde_path_to_error::deserialize::<_, T>(&value) {
        Ok(whole) => {
            // From here on what was read is what stands there: dates and times can be written in more ways than one.
            if serde_json::to_value(&whole).ok() != Some(value) {
                wrong.push("it says something in another way than Ringdown writes it".into());
            }
            Some(whole)
        }
        Err(error) => {
            wrong.push(format!("{}: {}", error.path(), error.inner()));
            None
        }
    }
}
