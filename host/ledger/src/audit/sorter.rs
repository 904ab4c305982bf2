use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

/// What a sorter keeps in memory; the rest is on disk.
const RUN_BYTES_MAX: usize = 32 << 20;
/// Runs that are merged at once; more are merged in steps.
const RUNS_MAX: usize = 128;

/// So many bytes of a record, from a place on.
///
/// # Panics
/// The record ends before, which none of its own length does.
#[must_use]
pub fn bytes_at<const N: usize>(record: &[u8], at: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&record[at..at.saturating_add(N)]);
    bytes
}

/// Sorts records of one length by their bytes, in bounded memory: full runs go
/// to temporary files, which vanish with the sorter.
#[derive(Debug)]
pub struct Sorter<const N: usize> {
    records: Vec<[u8; N]>,
    records_max: usize,
    runs: Vec<File>,
}

impl<const N: usize> Default for Sorter<N> {
    fn default() -> Self {
        Self::with_records_max(RUN_BYTES_MAX.checked_div(N).unwrap_or(1).max(1))
    }
}

impl<const N: usize> Sorter<N> {
    fn with_records_max(records_max: usize) -> Self {
        Self {
            records: Vec::new(),
            records_max,
            runs: Vec::new(),
        }
    }

    /// Takes a record.
    ///
    /// # Errors
    /// The temporary files cannot be written.
    pub fn push(&mut self, record: [u8; N]) -> io::Result<()> {
        self.records.push(record);
        if self.records.len() >= self.records_max {
            self.spill()?;
        }
        Ok(())
    }

    /// Every record, the least first.
    ///
    /// # Errors
    /// The temporary files cannot be read.
    pub fn sorted(mut self) -> io::Result<SortedRecords<N>> {
        if self.runs.is_empty() {
            self.records.sort_unstable();
            let records = std::mem::take(&mut self.records);
            return Ok(SortedRecords::in_memory(records));
        }
        if !self.records.is_empty() {
            self.spill()?;
        }
        self.records = Vec::new();
        SortedRecords::merge(std::mem::take(&mut self.runs))
    }

    fn spill(&mut self) -> io::Result<()> {
        self.records.sort_unstable();
        let run = written(self.records.iter().map(|record| Ok(*record)))?;
        self.records.clear();
        self.runs.push(run);
        if self.runs.len() >= RUNS_MAX {
            let merged = SortedRecords::<N>::merge(std::mem::take(&mut self.runs))?;
            self.runs.push(written(merged)?);
        }
        Ok(())
    }
}

fn written<const N: usize>(records: impl Iterator<Item = io::Result<[u8; N]>>) -> io::Result<File> {
    let mut out = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
    for record in records {
        out.write_all(&record?)?;
    }
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(file)
}

/// The records of a [`Sorter`], the least first.
#[derive(Debug)]
pub struct SortedRecords<const N: usize> {
    memory: std::vec::IntoIter<[u8; N]>,
    runs: Vec<BufReader<File>>,
    next: BinaryHeap<Reverse<([u8; N], usize)>>,
}

impl<const N: usize> SortedRecords<N> {
    fn in_memory(records: Vec<[u8; N]>) -> Self {
        Self {
            memory: records.into_iter(),
            runs: Vec::new(),
            next: BinaryHeap::new(),
        }
    }

    fn merge(runs: Vec<File>) -> io::Result<Self> {
        let mut merged = Self::in_memory(Vec::new());
        for (at, run) in runs.into_iter().enumerate() {
            merged.runs.push(BufReader::with_capacity(1 << 16, run));
            merged.refill(at)?;
        }
        Ok(merged)
    }

    fn refill(&mut self, run: usize) -> io::Result<()> {
        let mut record = [0; N];
        match self.runs[run].read_exact(&mut record) {
            Ok(()) => self.next.push(Reverse((record, run))),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl<const N: usize> Iterator for SortedRecords<N> {
    type Item = io::Result<[u8; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(record) = self.memory.next() {
            return Some(Ok(record));
        }
        let Reverse((record, run)) = self.next.pop()?;
        Some(self.refill(run).map(|()| record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(count: u32, records_max: usize) -> Vec<u32> {
        let mut sorter = Sorter::<4>::with_records_max(records_max);
        for number in 0..count {
            let mixed = number.wrapping_mul(2_654_435_761);
            sorter.push(mixed.to_be_bytes()).unwrap();
        }
        let records = sorter.sorted().unwrap();
        records.map(|r| u32::from_be_bytes(r.unwrap())).collect()
    }

    #[test]
    fn records_come_out_in_order_from_memory_and_from_runs() {
        let mut expected: Vec<u32> = (0..1_000_u32)
            .map(|n| n.wrapping_mul(2_654_435_761))
            .collect();
        expected.sort_unstable();
        assert_eq!(sorted(1_000, 10_000), expected);
        assert_eq!(sorted(1_000, 99), expected);
        assert_eq!(sorted(1_000, 1_000), expected);
        // More runs than are merged at once.
        assert_eq!(sorted(1_000, 3), expected);
        assert_eq!(sorted(0, 3), Vec::<u32>::new());
    }
}
