//! Arguments on one line, as for a shell.

use std::{iter::Peekable, str::Chars};

/// An argument in quotes, if a shell would not take it as it is. Of `key=value`, only the value is
/// in quotes.
pub fn quoted(word: &str) -> String {
    let plain = |text: &str| {
        let safe = |c: char| c.is_alphanumeric() || "_-./:,=+@%^".contains(c);
        !text.is_empty() && text.chars().all(safe)
    };
    if plain(word) {
        return word.to_owned();
    }
    if let Some((key, value)) = word.split_once('=')
        && plain(key)
        && !value.is_empty()
    {
        return format!("{key}={}", in_quotes(value));
    }
    in_quotes(word)
}

fn in_quotes(text: &str) -> String {
    if text.contains(char::is_control) {
        return format!("$'{}'", text.escape_default().to_string().replace("\\\"", "\""));
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Arguments on one line.
pub(super) fn line(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The arguments of a line, as a shell would split it: at white space, with single quotes, double
/// quotes, backslashes and `$'…'`. Nothing is expanded.
///
/// # Errors
/// If a quote is not closed.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        if c.is_whitespace() {
            words.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_default();
        match c {
            '\'' => until(&mut rest, '\'', word, |_, _| false)?,
            '"' => until(&mut rest, '"', word, |rest, word| {
                word.push(rest.next().unwrap_or('\\'));
                true
            })?,
            '$' if rest.next_if_eq(&'\'').is_some() => until(&mut rest, '\'', word, escaped)?,
            '\\' => word.extend(rest.next()),
            c => word.push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Takes characters up to `quote`. `escape` takes what follows a backslash, and returns whether it
/// is one that means something.
fn until(
    rest: &mut Peekable<Chars<'_>>,
    quote: char,
    word: &mut String,
    escape: impl Fn(&mut Peekable<Chars<'_>>, &mut String) -> bool,
) -> Result<(), String> {
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return Ok(()),
            '\\' if escape(rest, word) => {}
            c => word.push(c),
        }
    }
    Err(format!("a quote {quote} is not closed"))
}

/// Takes an escape of `$'…'`, without its backslash.
fn escaped(rest: &mut Peekable<Chars<'_>>, word: &mut String) -> bool {
    match rest.next() {
        Some('n') => word.push('\n'),
        Some('t') => word.push('\t'),
        Some('r') => word.push('\r'),
        Some('u') => {
            let digits: String = rest.skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
            word.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
        }
        Some(c) => word.push(c),
        None => {}
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_split_into_the_same() {
        for word in
            ["a", "", "a b", "it's", "\"x\"", "k=a b", "k=", "a\\b", "x\ny'z\"", "; rm", "é ü"]
        {
            assert_eq!(split(&format!("one {} two", quoted(word))).unwrap(), ["one", word, "two"]);
        }
        assert_eq!(quoted("op=MODE SELECT"), "op='MODE SELECT'");
        assert_eq!(split("op=\"MODE SELECT\" a\\ b").unwrap(), ["op=MODE SELECT", "a b"]);
        assert!(split("it's").is_err());
    }
}
