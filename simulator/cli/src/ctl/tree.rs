//! Trees of text.

/// A line, and what is below it.
pub(super) struct Node {
    text: String,
    below: Vec<Node>,
}

impl Node {
    pub(super) fn new(text: impl Into<String>, below: Vec<Node>) -> Node {
        Node { text: text.into(), below }
    }

    pub(super) fn leaf(text: impl Into<String>) -> Node {
        Node::new(text, Vec::new())
    }

    /// Adds the tree to `out`: its root at the margin, and branches below it.
    pub(super) fn draw(&self, out: &mut String) {
        out.push_str(&self.text);
        out.push('\n');
        self.branches("", out);
    }

    fn branches(&self, before: &str, out: &mut String) {
        for (index, node) in self.below.iter().enumerate() {
            let last = index + 1 == self.below.len();
            let (branch, trunk) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            out.push_str(&format!("{before}{branch}{}\n", node.text));
            node.branches(&format!("{before}{trunk}"), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_drawn_to_the_last() {
        let deep = Node::new("b", vec![Node::leaf("c"), Node::leaf("d")]);
        let tree = Node::new("a", vec![deep, Node::new("e", vec![Node::leaf("f")])]);
        let mut text = String::new();
        tree.draw(&mut text);
        assert_eq!(text, "a\n├─ b\n│  ├─ c\n│  └─ d\n└─ e\n   └─ f\n");
    }
}
