//! Text from files and guests, made fit for terminals, reports and XML.

use std::borrow::Cow;

/// The text with every character that a terminal or a reader could act on written as `\u001b`: control
/// characters other than newline and tab, those that change the direction of text, and those that XML
/// forbids.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_active(c) {
            // In JSON, too, this is the character. Those beyond 16 bits are two there.
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                visible.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            visible.push(c);
        }
    }
    Cow::Owned(visible)
}

/// The same with question marks, so that every other character stays at its byte offset.
pub fn visible_in_place(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match is_active(c) {
            true => visible.extend(std::iter::repeat_n('?', c.len_utf8())),
            false => visible.push(c),
        }
    }
    Cow::Owned(visible)
}

fn is_active(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        c if u32::from(c) & 0xfffe == 0xfffe => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_is_written_out_and_the_rest_stays() {
        for plain in ["", "a | b\n\tc", "\u{e9}\u{4e2d}\u{1f600} ×"] {
            assert!(matches!(visible(plain), Cow::Borrowed(text) if text == plain));
        }
        let hostile = "\u{1b}[2J\u{7}\r\u{9b}1m\u{202e}\u{fffe}\u{1ffff}\u{7f}";
        let shown = visible(hostile);
        let expected = "\\u001b[2J\\u0007\\u000d\\u009b1m\\u202e\\ufffe\\ud83f\\udfff\\u007f";
        assert_eq!(shown, expected);
        let back: String = serde_json::from_str(&format!("\"{shown}\"")).unwrap();
        assert_eq!(back, hostile, "in JSON it is the same text");
        assert_eq!(visible_in_place(hostile).len(), hostile.len());
    }
}
