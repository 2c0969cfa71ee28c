/// The word of `words` that `text` most likely means; nil if none is close.
func nearest(_ text: String, in words: some Sequence<String>) -> String? {
    let typed = Array(text.lowercased().unicodeScalars)
    guard !typed.isEmpty, typed.count <= 64 else { return nil }
    var best: (word: String, distance: Int)?
    for word in words {
        let distance = editDistance(typed, Array(word.lowercased().unicodeScalars))
        if distance < best?.distance ?? Int.max { best = (word, distance) }
    }
    guard let best, best.distance <= max(1, typed.count / 3) else { return nil }
    return best.word
}

/// The Damerau-Levenshtein distance: insertions, deletions, replacements and swaps of neighbours.
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var older: [Int] = []
    var previous = Array(0...right.count)
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let same = left[row] == right[column]
            var cost = min(previous[column] + (same ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                cost = min(cost, older[column - 1] + 1)
            }
            current.append(cost)
        }
        older = previous
        previous = current
    }
    return previous[right.count]
}
