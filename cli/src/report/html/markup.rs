//! HTML that cannot hold anybody else's markup.

use crate::report::words::printable;

/// HTML in the making. Markup is only taken from our own source; all else comes in as text.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Adds markup, which is written in the source.
    pub(super) fn markup(&mut self, html: &'static str) -> &mut Self {
        self.0.push_str(html);
        self
    }

    /// Adds text, for an element or for an attribute in double quotes.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        for c in printable(text).chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// The whole of it.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let mut html = Html::default();
        html.markup("<p title=\"").text("\"><script>alert('x')</script>&\u{202e}").markup("\">");
        let expected =
            "<p title=\"&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\\u{202e}\">";
        assert_eq!(html.finish(), expected);
    }
}
