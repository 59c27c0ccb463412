//! Diagnostics: file, line, a caret under the word, and what is accepted instead.

use std::{fmt, ops::Range, sync::Arc};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceSpan,
};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The scenario can be run but probably does not do what was intended.
    Warning,
    /// The scenario cannot be run.
    Error,
}

/// A mistake in a scenario, or a warning.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    severity: Severity,
    message: String,
    help: Option<String>,
    label: Option<String>,
    /// The position in `source`.
    span: Option<SourceSpan>,
    source: Option<Arc<NamedSource<String>>>,
}

impl Diagnostic {
    /// An error without a position.
    pub fn error(message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            help: None,
            label: None,
            span: None,
            source: None,
        }
    }

    /// A warning without a position.
    pub fn warning(message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Adds a help text, such as what is accepted.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a label to the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the position.
    #[must_use]
    pub(super) fn at(mut self, source: Arc<NamedSource<String>>, span: Range<usize>) -> Self {
        self.span = Some(SourceSpan::new(span.start.into(), span.end.saturating_sub(span.start)));
        self.source = Some(source);
        self
    }

    /// The severity of a diagnostic.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The message, one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file name, line and column. Lines and columns are counted from 1.
    pub fn place(&self) -> Option<(String, usize, usize)> {
        let source = self.source.as_ref()?;
        let contents = source.read_span(self.span.as_ref()?, 0, 0).ok()?;
        Some((source.name().to_owned(), contents.line() + 1, contents.column() + 1))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        let label = LabeledSpan::new_with_span(self.label.clone(), span);
        Some(Box::new(std::iter::once(label)))
    }
}

/// All diagnostics of a scenario, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Appends a diagnostic.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Appends the diagnostics of another list.
    pub fn extend(&mut self, others: Diagnostics) {
        self.0.extend(others.0);
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any of them is an error, so that the scenario cannot be run.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Iterates over the diagnostics.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// Sorts by position in the file; diagnostics without a position come first.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|diagnostic| diagnostic.span.map(|span| span.offset()));
    }

    /// Renders all diagnostics for a terminal of this width, in columns.
    pub fn render(&self, width: usize, colour: bool) -> String {
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_width(width)
            .with_links(false)
            .without_cause_chain();
        let mut text = String::new();
        for diagnostic in &self.0 {
            // Writing to a `String` does not fail, but a span outside its source does. Then only
            // the message is shown.
            if handler.render_report(&mut text, diagnostic).is_err() {
                text.push_str(&diagnostic.message);
                text.push('\n');
            }
        }
        text
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(100, false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Diagnostics(vec![one])
    }
}
