//! How a frame is laid out: on one line when it fits, else as few indented lines as do.

/// Where the lines of a record end, if they can, its arrows included; what fits beside a line number on a laptop.
pub(super) const WIDTH: usize = 118;
/// What an arrow and its space take of the first line.
const ARROW: usize = 2;
const INDENT: usize = 4;

/// A field, with its value or with the fields inside it.
pub(super) struct Node {
    /// The field's name, and its value if it is no message.
    pub(super) label: String,
    /// The fields inside it.
    pub(super) children: Vec<Self>,
}

impl Node {
    /// With other labels, its own and all below it.
    pub(super) fn relabelled(self, relabel: &impl Fn(&str) -> String) -> Self {
        let children = self.children.into_iter().map(|child| child.relabelled(relabel)).collect();
        Self { label: relabel(&self.label), children }
    }

    /// A frame, to stand behind an arrow, in lines of at most `width` where that can be: its children are fields of
    /// the envelope.
    pub(super) fn frame(&self, width: usize) -> String {
        let inline: Vec<String> = self.children.iter().map(Self::inline).collect();
        let line = format!("{} {}", self.label, inline.join(" "));
        if ARROW + line.chars().count() <= width {
            return line.trim_end().to_owned();
        }
        let mut lines = vec![self.label.clone()];
        block(&self.children, INDENT, width, &mut lines);
        lines.join("\n")
    }

    fn inline(&self) -> String {
        if self.children.is_empty() {
            // A message without fields is there all the same, and a value needs no braces.
            return if self.label.contains(':') { self.label.clone() } else { format!("{}{{}}", self.label) };
        }
        let inside: Vec<String> = self.children.iter().map(Self::inline).collect();
        format!("{}{{{}}}", self.label, inside.join(" "))
    }
}

/// Fields side by side while they fit, and one that does not fit on lines of its own.
fn block(nodes: &[Node], indent: usize, width: usize, lines: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    let mut line = String::new();
    let flush = |line: &mut String, lines: &mut Vec<String>| {
        if !line.is_empty() {
            lines.push(format!("{margin}{line}"));
            line.clear();
        }
    };
    for node in nodes {
        let inline = node.inline();
        let chars = inline.chars().count();
        if indent + chars > width && !node.children.is_empty() {
            flush(&mut line, lines);
            lines.push(format!("{margin}{}", node.label));
            block(&node.children, indent + INDENT, width, lines);
            continue;
        }
        if !line.is_empty() && indent + line.chars().count() + 1 + chars > width {
            flush(&mut line, lines);
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&inline);
    }
    flush(&mut line, lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(label: &str) -> Node {
        Node { label: label.to_owned(), children: Vec::new() }
    }

    #[test]
    fn what_fits_stays_on_one_line_and_what_does_not_is_indented() {
        let short = Node { label: "UNREAD".into(), children: vec![leaf("a:1"), leaf("empty")] };
        assert_eq!(short.frame(WIDTH), "UNREAD a:1 empty{}");
        let long = "x".repeat(70);
        let inner = Node {
            label: "to".into(),
            children: vec![leaf(&format!("a:{long}")), leaf(&format!("b:{long}"))],
        };
        let frame =
            Node { label: "SYNC".into(), children: vec![leaf("v:1"), inner, leaf("e:2"), leaf("f:3")] };
        assert_eq!(
            frame.frame(WIDTH),
            format!("SYNC\n    v:1\n    to\n        a:{long}\n        b:{long}\n    e:2 f:3")
        );
    }
}
