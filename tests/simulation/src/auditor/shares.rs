/// Shares of a total by weights, by largest remainder: first the whole part of
/// each, then one more for those that lost most, the earlier first. Written
/// again here by counting, so that a slip of the host's arithmetic is not shared.
pub(crate) fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact: Vec<i128> = (weights.iter())
        .map(|weight| i128::from(total) * i128::from(*weight))
        .collect();
    let mut shares: Vec<i128> = exact.iter().map(|exact| exact / sum).collect();
    let mut missing = i128::from(total) - shares.iter().sum::<i128>();
    let mut took = vec![false; weights.len()];
    while missing > 0 {
        let mut best = None;
        for index in 0..weights.len() {
            let lost = exact[index] % sum;
            let is_better = best.is_none_or(|best: usize| lost > exact[best] % sum);
            if !took[index] && is_better {
                best = Some(index);
            }
        }
        let Some(best) = best else { break };
        took[best] = true;
        shares[best] += 1;
        missing -= 1;
    }
    shares
        .into_iter()
        .map(|share| i64::try_from(share).unwrap_or(i64::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_sum_to_the_total_and_the_earlier_wins_a_tie() {
        assert_eq!(shares(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shares(2, &[5, 3, 2]), [1, 1, 0]);
        assert_eq!(shares(7, &[0, 7]), [0, 7]);
        assert_eq!(shares(0, &[0, 0]), [0, 0]);
    }
}
