//! multipathd's view of its maps at the end, compared with dm-multipath's.

use serde_json::Value;

/// The step that a scenario needs so that it can expect the two to agree.
pub(super) const STEP: &str = "states";

/// What multipathd's checker says of a path, and dm-multipath the contrary: what is seen, the keys of a step,
/// and those of the expectation.
pub(super) fn disagreement(view: &Value) -> Option<(String, String, String)> {
    let maps = view.get("maps")?.as_array()?;
    let groups = maps.iter().filter_map(|map| map.get("path_groups")?.as_array()).flatten();
    let mut paths = groups.filter_map(|group| group.get("paths")?.as_array()).flatten();
    let text = |path: &Value, key: &str| path.get(key).and_then(Value::as_str).map(str::to_owned);
    paths.find_map(|path| {
        let (dev, dm, checker) = (text(path, "dev")?, text(path, "dm_st")?, text(path, "chk_st")?);
        let down = matches!(checker.as_str(), "faulty" | "shaky" | "timeout");
        let up = matches!(checker.as_str(), "ready" | "ghost");
        let agree = !(dm == "active" && down || dm == "failed" && up);
        let step = "run = [\"multipathd\", \"show\", \"paths\", \"raw\", \"format\", \"%t %T\"]";
        let expect =
            format!("ran = {{ step = {STEP:?}, matches = '^(active (ready|ghost)\\s*)+$' }}");
        (!agree).then(|| {
            let seen = format!("of {dev}, the checker says {checker}, and dm-multipath {dm}");
            (seen, step.to_owned(), expect)
        })
    })
}
