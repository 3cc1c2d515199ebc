//! Reading logs: one thread reads, the others count.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::bufread::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use memchr::{memchr, memrchr};

use super::line::{AuditLine, Finder, Found, first, unquoted};
use super::tally::{Reader, Tally};
use crate::error::Error;

/// Bytes that are read before they are counted.
const BLOCK: usize = 1 << 20;

/// The longest line; a longer one is taken for several.
const LONGEST_LINE: usize = 4 << 20;

/// Blocks that wait for each thread at most.
const QUEUE: usize = 2;

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
        let read = names.iter().try_for_each(|name| {
            let wrong = |source| Error::Read { name: name.clone(), source };
            read(&mut *open(name, &bar).map_err(wrong)?, &mut turns).map_err(wrong)
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
fn read<'q>(
    file: &mut dyn Read,
    turns: &mut impl Iterator<Item = &'q SyncSender<Vec<u8>>>,
) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK);
    loop {
        let room = u64::try_from(BLOCK).unwrap_or(u64::MAX);
        let is_over = (&mut *file).take(room).read_to_end(&mut block)? == 0;
        let end = memrchr(b'\n', &block).map(|at| at.saturating_add(1));
        let end = match end {
            _ if is_over => block.len(),
            None if block.len() >= LONGEST_LINE => block.len(),
            None => continue,
            Some(end) => end,
        };
        let rest = block.split_off(end);
        let full = std::mem::replace(&mut block, rest);
        block.reserve(BLOCK);
        // A thread that is gone has panicked, which is told when it is joined.
        if turns.next().is_none_or(|queue| queue.send(full).is_err()) || is_over {
            return Ok(());
        }
    }
}

fn count_blocks(blocks: &Receiver<Vec<u8>>, reader: &Reader<'_>) -> Tally {
    let (mut tally, finder) = (Tally::new(), Finder::new());
    for block in blocks {
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at.saturating_add(1));
            let (line, further) = rest.split_at_checked(end).unwrap_or((rest, b""));
            count_line(line, &finder, reader, &mut tally);
            rest = further;
        }
    }
    tally
}

fn count_line(line: &[u8], finder: &Finder, reader: &Reader<'_>, tally: &mut Tally) {
    let mut add = |json: &[u8]| match first::<AuditLine<'_>>(json) {
        Some(line) => tally.add(&line, reader),
        None => tally.unreadable = tally.unreadable.saturating_add(1),
    };
    match finder.find(line) {
        Found::Plain(json) => add(json),
        Found::Quoted(quoted) => add(unquoted(&quoted).unwrap_or_default().as_bytes()),
        Found::Nothing if line.trim_ascii().is_empty() => {}
        Found::Nothing => tally.other_lines = tally.other_lines.saturating_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::claims::Places;

    /// Counted lines: audit lines, others, unreadable ones.
    fn counted(log: &[u8]) -> (u64, u64, u64) {
        let (queue, blocks) = sync_channel(1_000);
        read(&mut &*log, &mut std::iter::repeat(&queue)).unwrap();
        drop(queue);
        let reader = Reader { lens: None, places: Places::default() };
        let tally = count_blocks(&blocks, &reader);
        (tally.counts.total(), tally.other_lines, tally.unreadable)
    }

    const LINE: &str = r#"{"audit":"jwt-gate/1","time":"2026-11-25T07:00:58.123Z","decision":"allow","enforcement":"enforce","rule":null,"route":null,"method":"GET","status":null,"provider":null,"outcome":"ok"}"#;

    #[test]
    fn every_line_is_counted_wherever_a_block_ends() {
        let log = format!("{LINE}\nanother\r\n\n{{\"audit\":\"jwt-gate/1\"}}\n").repeat(20_000);
        assert!(log.len() > 2 * BLOCK);
        assert_eq!(counted(log.as_bytes()), (20_000, 20_000, 20_000));
        assert_eq!(counted(LINE.as_bytes()), (1, 0, 0));
        assert_eq!(counted(b""), (0, 0, 0));
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_the_longest() {
        let log = vec![b'x'; 3 * LONGEST_LINE];
        assert_eq!(counted(&log), (0, 3, 0));
    }

    #[test]
    fn a_moment_that_is_none_makes_a_line_unreadable() {
        assert_eq!(counted(LINE.replace("2026", "x026").as_bytes()), (0, 0, 1));
    }
}
