//! Patterns of `modules.alias`: `*`, `?` and `[…]`. `-` and `_` are equal outside brackets.

/// Whether a name matches a pattern.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // Where to resume when the part after the last `*` does not match: that `*` then matches one byte more.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            retry = Some((p + 1, n));
            p += 1;
        } else if let Some(len) = one(&pattern[p..], name[n]) {
            p += len;
            n += 1;
        } else if let Some((after, taken)) = retry {
            retry = Some((after, taken + 1));
            (p, n) = (after, taken + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

/// Length of the part of the pattern that matches this byte; `None` if it does not match.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern.first()? {
        b'?' => Some(1),
        b'[' => {
            let end = pattern.iter().position(|b| *b == b']')?;
            in_set(&pattern[1..end], byte).then_some(end + 1)
        }
        literal => (plain(*literal) == plain(byte)).then_some(1),
    }
}

/// Whether a byte is in a bracket set such as `0-9A-F`.
fn in_set(mut set: &[u8], byte: u8) -> bool {
    loop {
        match set {
            [low, b'-', high, rest @ ..] => {
                if (*low..=*high).contains(&byte) {
                    return true;
                }
                set = rest;
            }
            [single, rest @ ..] => {
                if *single == byte {
                    return true;
                }
                set = rest;
            }
            [] => return false,
        }
    }
}

/// Maps `-` to `_`.
fn plain(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_the_kernels_tables() {
        let yes = [
            ("virtio:d00000008v*", "virtio:d00000008v00001AF4"),
            ("pci:v00001AF4d*sv*sd*bc*sc*i*", "pci:v00001AF4d00001048sv0sd0bc01sc00i00"),
            ("scsi:t-0x00*", "scsi:t_0x00"),
            ("dm-multipath", "dm_multipath"),
            ("usb:v0[0-9A-F]*d?", "usb:v0Fxd7"),
            ("*", ""),
            ("a*b*c", "aXbYbZc"),
        ];
        for (pattern, name) in yes {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        let no = [
            ("virtio:d00000008v*", "virtio:d00000003v00001AF4"),
            ("abc", "abcd"),
            ("abc", "ab"),
            ("[0-9]", "a"),
            ("[0-9", "0"),
            ("a*b", "aXc"),
            ("", "x"),
        ];
        for (pattern, name) in no {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
