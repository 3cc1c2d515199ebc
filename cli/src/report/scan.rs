//! Reading logs: one thread reads, the others count.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use memchr::{memchr, memchr_iter, memrchr};

use super::line::{AuditLine, Finder, Found, first, unquoted};
use super::tally::{Broken, Reader, Tally, Unreadable};
use crate::error::Error;

/// Bytes that are read before they are counted.
const BLOCK: usize = 1 << 20;

/// The longest line; a longer one is taken for several.
const LONGEST_LINE: usize = 4 << 20;

/// Blocks that wait for each thread at most.
const QUEUE: usize = 2;

/// A part of a file.
struct Block<'n> {
    /// Which file it is, counted from 0, and what it is called.
    file: (usize, &'n str),
    /// The number of its first line, from 1.
    line: u64,
    text: Vec<u8>,
}

/// Counts all lines of these files; `-` is the standard input. What comes compressed by gzip is
/// unpacked.
pub(crate) fn scan(names: &[String], reader: &Reader<'_>) -> Result<Tally, Error> {
    let bar = progress(names);
    let workers = thread::available_parallelism().map_or(1, usize::from).min(16);
    let scanned = thread::scope(|scope| {
        let (queues, counting): (Vec<_>, Vec<_>) = (0..workers)
            .map(|_| {
                let (queue, blocks) = sync_channel(QUEUE);
                (queue, scope.spawn(move || count_blocks(&blocks, reader)))
            })
            .unzip();
        let mut turns = queues.iter().cycle();
        let read = names.iter().enumerate().try_for_each(|(number, name)| {
            let wrong = |source| Error::Read { name: name.clone(), source };
            let mut file = open(name, &bar).map_err(wrong)?;
            read(&mut *file, (number, name), &mut turns).map_err(wrong)
        });
        drop(queues);
        let mut tally = Tally::new();
        for part in counting {
            match part.join() {
                Ok(part) => tally.merge(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| tally)
    });
    bar.finish_and_clear();
    scanned
}

/// How far the reading is, on a standard error that is a terminal.
fn progress(names: &[String]) -> ProgressBar {
    let sizes = names.iter().map(|name| std::fs::metadata(name).map(|file| file.len()));
    let Ok(total) = sizes.sum::<io::Result<u64>>() else { return ProgressBar::no_length() };
    let bar = ProgressBar::new(total);
    let shape = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    match ProgressStyle::with_template(shape) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn open(name: &str, bar: &ProgressBar) -> io::Result<Box<dyn Read>> {
    let raw: Box<dyn Read> =
        if name == "-" { Box::new(io::stdin()) } else { Box::new(File::open(name)?) };
    let mut file = BufReader::with_capacity(BLOCK, bar.wrap_read(raw));
    // RFC 1952, 2.3.1: how gzip begins.
    let is_packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}

/// Cuts a file into blocks of whole lines, and has the threads take turns.
fn read<'q, 'n: 'q>(
    source: &mut dyn Read,
    file: (usize, &'n str),
    turns: &mut impl Iterator<Item = &'q SyncSender<Block<'n>>>,
) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK);
    let mut line = 1_u64;
    loop {
        let room = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let is_over = (&mut *source).take(room).read_to_end(&mut block)? == 0;
        let end = memrchr(b'\n', &block).map(|at| at.saturating_add(1));
        let end = match end {
            _ if is_over => block.len(),
            None if block.len() >= LONGEST_LINE => block.len(),
            None => continue,
            Some(end) => end,
        };
        let rest = block.split_off(end);
        let full = Block { file, line, text: std::mem::replace(&mut block, rest) };
        block.reserve(BLOCK);
        let lines = memchr_iter(b'\n', &full.text).count();
        line = line.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        // A thread that is gone has panicked, which is told when it is joined.
        if turns.next().is_none_or(|queue| queue.send(full).is_err()) || is_over {
            return Ok(());
        }
    }
}

fn count_blocks(blocks: &Receiver<Block<'_>>, reader: &Reader<'_>) -> Tally {
    let (mut tally, finder) = (Tally::new(), Finder::new());
    for block in blocks {
        let mut rest = block.text.as_slice();
        let mut number = block.line;
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
            let (line, further) = rest.split_at_checked(end).unwrap_or((rest, b""));
            if let Err(error) = count_line(line, &finder, reader, &mut tally) {
                let (file, name) = block.file;
                let broken = Broken { file, line: number, name: name.to_owned(), why: why(&error) };
                tally.unreadable.absorb(Unreadable { count: 1, first: Some(broken) });
            }
            number = number.saturating_add(1);
            rest = further;
        }
    }
    tally
}

fn count_line(
    line: &[u8],
    finder: &Finder,
    reader: &Reader<'_>,
    tally: &mut Tally,
) -> serde_json::Result<()> {
    let line = line.trim_ascii_end();
    match finder.find(line) {
        Found::Plain(json) => tally.add(&first::<AuditLine<'_>>(json)?, reader),
        Found::Quoted(quoted) => {
            tally.add(&first::<AuditLine<'_>>(unquoted(&quoted)?.as_bytes())?, reader);
        }
        Found::Nothing if line.is_empty() => {}
        Found::Nothing => tally.other_lines = tally.other_lines.saturating_add(1),
    }
    Ok(())
}

/// Why an audit line cannot be read; where in it, is counted from where it begins.
fn why(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    format!("{what} at byte {} of the audit line", error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::claims::Places;

    /// Counted lines: audit lines, others, unreadable ones; and the first of these.
    fn counted(log: &[u8]) -> (u64, u64, u64, String) {
        let (queue, blocks) = sync_channel(1_000);
        read(&mut &*log, (0, "a.log"), &mut std::iter::repeat(&queue)).unwrap();
        drop(queue);
        let reader = Reader { lens: None, places: Places::default() };
        let tally = count_blocks(&blocks, &reader);
        let Unreadable { count, first } = tally.unreadable;
        let first = first.map(|broken| format!("{}:{}: {}", broken.name, broken.line, broken.why));
        (tally.counts.total(), tally.other_lines, count, first.unwrap_or_default())
    }

    const LINE: &str = r#"{"audit":"jwt-gate/1","time":"2026-11-25T07:00:58.123Z","decision":"allow","enforcement":"enforce","rule":null,"route":null,"method":"GET","status":null,"provider":null,"outcome":"ok"}"#;

    #[test]
    fn every_line_is_counted_wherever_a_block_ends() {
        let log = format!("{LINE}\nanother\r\n\n{{\"audit\":\"jwt-gate/1\"}}\n").repeat(20_000);
        assert!(log.len() > 2 * BLOCK);
        let none = String::new;
        let missing = "a.log:4: missing field `time` at byte 22 of the audit line".to_owned();
        assert_eq!(counted(log.as_bytes()), (20_000, 20_000, 20_000, missing));
        assert_eq!(counted(LINE.as_bytes()), (1, 0, 0, none()));
        assert_eq!(counted(b""), (0, 0, 0, none()));
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_the_longest() {
        let log = vec![b'x'; 3 * LONGEST_LINE];
        assert_eq!(counted(&log), (0, 3, 0, String::new()));
    }

    #[test]
    fn the_first_line_that_cannot_be_read_is_told() {
        let half = format!("{LINE}\n{LINE}\n{}", LINE.get(..100).unwrap());
        let rows = [
            (half, "a.log:3: EOF while parsing a string at byte 100"),
            (LINE.replace("2026", "x026"), "a.log:1: invalid value: string \"x026-"),
            (LINE.replace("allow", "maybe"), "a.log:1: unknown variant `maybe`"),
        ];
        for (log, expected) in rows {
            let (_, _, count, first) = counted(format!("{log}\n{}", "x\n".repeat(3)).as_bytes());
            assert!(count == 1 && first.starts_with(expected), "{log}: {first}");
        }
        // The first one is in the second block, whichever thread is faster.
        let lines = format!("{LINE}\n").repeat(BLOCK / LINE.len() + 10);
        let (_, _, count, first) =
            counted(format!("{lines}{}\n", LINE.get(..50).unwrap()).as_bytes());
        let expected = format!("a.log:{}: EOF", lines.lines().count() + 1);
        assert!(count == 1 && first.starts_with(&expected), "{first}");
    }
}
