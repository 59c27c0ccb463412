//! Module parameters from the kernel's command line.

/// The parameters of a module, as `name=value` or `name`, separated by spaces. `-` and `_` in the module's
/// name are equal. A value in double quotes may contain spaces.
pub(super) fn of_module(command_line: &str, module: &str) -> String {
    let own = words(command_line).filter_map(|word| {
        let head = word.split('=').next().unwrap_or(word);
        let (owner, _) = head.split_once('.')?;
        let parameter = &word[owner.len() + 1..];
        (owner.replace('-', "_") == module).then_some(parameter)
    });
    own.collect::<Vec<_>>().join(" ")
}

/// Splits a line at blanks outside double quotes.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c: char| {
        quoted ^= c == '"';
        c.is_whitespace() && !quoted
    })
    .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_gets_its_own_parameters() {
        let line = "console=ttyS0 scsi_mod.scan=manual dm-multipath.a=1 dm_multipath.b \
                    scsi_mod.dev_flags=\"A B:C:0x1\" other.scan=x=y.z quiet\n";
        assert_eq!(of_module(line, "scsi_mod"), "scan=manual dev_flags=\"A B:C:0x1\"");
        assert_eq!(of_module(line, "dm_multipath"), "a=1 b");
        assert_eq!(of_module(line, "other"), "scan=x=y.z");
        assert_eq!(of_module(line, "console"), "");
    }
}
