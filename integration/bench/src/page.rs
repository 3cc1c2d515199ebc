//! The page with the results: text by hand, and parts that are written anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::error::Error;

/// A page whose parts stand between `<!-- name: begin -->` and `<!-- name: end -->`.
#[derive(Debug)]
pub(crate) struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    /// Reads it.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::file(path))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Puts this in place of a part.
    pub(crate) fn replace(&mut self, block: &'static str, content: &str) -> Result<(), Error> {
        let (before, _, after) = self.split(block)?;
        self.text = format!("{before}\n{}\n{after}", content.trim_end());
        Ok(())
    }

    /// Adds a line to the table in a part; in place of the one with the same first cell, if any.
    pub(crate) fn add_row(
        &mut self,
        block: &'static str,
        head: &str,
        row: &str,
    ) -> Result<(), Error> {
        let (_, content, _) = self.split(block)?;
        let name = |line: &str| line.split('|').nth(1).map(str::trim).map(str::to_owned);
        let mut rows: Vec<&str> = content.trim().lines().skip(2).collect();
        match rows.iter().position(|line| name(line) == name(row)) {
            Some(same) => rows.splice(same..=same, [row]).for_each(drop),
            None => rows.push(row),
        }
        let table = format!("{head}{}", rows.join("\n"));
        self.replace(block, &table)
    }

    /// Writes it back.
    pub(crate) fn write(&self) -> Result<(), Error> {
        fs::write(&self.path, &self.text).map_err(Error::file(&self.path))
    }

    /// What is before a part, in it, and after it.
    fn split(&self, block: &'static str) -> Result<(&str, &str, &str), Error> {
        let (begin, end) = (format!("<!-- {block}: begin -->"), format!("<!-- {block}: end -->"));
        let none = || Error::NoBlock { path: self.path.clone(), block };
        let at = self.text.find(&begin).ok_or_else(none)?.saturating_add(begin.len());
        let (before, rest) = self.text.split_at_checked(at).ok_or_else(none)?;
        let at = rest.find(&end).ok_or_else(none)?;
        let (content, after) = rest.split_at_checked(at).ok_or_else(none)?;
        Ok((before, content, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Section;

    fn page(text: &str) -> Page {
        Page { path: PathBuf::from("page.md"), text: text.to_owned() }
    }

    #[test]
    fn a_part_is_replaced_and_the_rest_stays() {
        let mut page = page("a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n");
        page.replace("x", "new\n").unwrap();
        assert_eq!(page.text, "a\n<!-- x: begin -->\nnew\n<!-- x: end -->\nb\n");
        let error = page.replace("y", "").unwrap_err().to_string();
        assert!(error.starts_with("`page.md` has no lines `<!-- y: begin -->`"), "{error}");
    }

    #[test]
    fn a_row_is_added_and_one_of_the_same_name_replaced() {
        let mut page = page("<!-- x: begin -->\n<!-- x: end -->\n");
        let head = "| step |\n|---|\n";
        for row in ["| a | 1 |", "| b | 2 |", "| a | 3 |"] {
            page.add_row("x", head, row).unwrap();
        }
        let expected =
            "<!-- x: begin -->\n| step |\n|---|\n| a | 3 |\n| b | 2 |\n<!-- x: end -->\n";
        assert_eq!(page.text, expected);
    }

    #[test]
    fn the_page_has_a_place_for_every_part() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/performance.md");
        let page = Page::read(&path).unwrap();
        let sections = Section::ALL.map(Section::name).into_iter();
        for block in sections.chain(["machine", "start", "first requests", "steps"]) {
            page.split(block).unwrap();
        }
    }
}
