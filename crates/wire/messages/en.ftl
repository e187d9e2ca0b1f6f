# What a refusal says to people, in English. One message a code; an attribute for each case of a code. The placeables are the
# refusal's arguments, and a test holds them against what refusals carry. Written as Fluent: https://projectfluent.org

role = only the role { $role } may ask this

malformed =
    .not-this-message = { $field }: not this message
    .encoding = { $field }: not encoded as this protocol does
    .version = { $field }: this gateway speaks version 1
    .bytes = { $field }: { $expected } bytes are expected, { $found } were sent
    .missing = { $field }: is missing
    .mode = { $field }: 1 or 2
    .mode-two-only = { $field }: stands in mode 2 only
    .purpose = { $field }: between 1 and 200 bytes
    .region = { $field }: is not the certificate's trust domain
    .certificate = { $field }: is not the certificate's URI
    .audience = { $field }: office URIs of the region, sorted, unique, between 1 and 1,000
    .object = { $field }: `describe`, `describe NAME` or `release HEX`
    .describe-only = { $field }: this call describes; a release is fetched by GetRelease
    .release-only = { $field }: this call fetches a release; datasets are described by Describe
    .account = { $field }: is no account
    .page = { $field }: between 1 and 200
    .word = { $field }: is not written in the letters or the length of such a word
    .confidence = `{ $found }` is not a confidence: a number above 0 and at most 0.999999
    .query-header = line { $line }: expected `lango-query 1`, found `{ $found }`
    .query-dataset = line { $line }: expected `dataset NAME`, found `{ $found }`
    .query-by = line { $line }: expected `by D1,D2` or a bare `by` under its measure, found `{ $found }`
    .query-measure = line { $line }: expected `measure M`, found `{ $found }`
    .query-condition-or-price = line { $line }: expected `where ..` or `price ..`, found `{ $found }`
    .query-condition = line { $line }: expected `where D = C`, `where D in C1,C2` or `where D from A to B` with A at most B, found `{ $found }`
    .query-price = line { $line }: expected `price epsilon DECIMAL` or `price precision DECIMAL at DECIMAL on M by D1,D2`, found `{ $found }`
    .query-end = line { $line }: expected nothing after the price, found `{ $found }`
    .query-name = line { $line }: `{ $found }` is not a name: lower-case letters, digits and `_`, a letter first, 64 at most
    .query-code = line { $line }: `{ $found }` is not a code: printable ASCII without space or comma, 64 characters at most
    .query-no-measure = line { $line }: `{ $found }` is no measure: there are the plural of the dataset's unit (`persons`), `rows`, `rows(C)`, `sum(C)`, `mean(C)`, `share(D)`, `median(C)`, `quantile(C,Q,..)`, `histogram(C)` and `keys(C)`
    .query-measure-twice = line { $line }: measure `{ $measure }` stands twice: put all its `by` lines under one
    .query-too-many = line { $line }: more than { $most } { $what } in one question: ask several questions
    .query-office = line { $line }: `office` is a way to lay out answers and never stands in a question
    .query-price-on-nothing = line { $line }: the price speaks of a measure and margin that the question does not ask for
    .query-not-canonical = the text is not canonical: it should read `{ $canonical }`

not-addressed = { $office } is not in the audience

time =
    .future = the request is from the future: check the clocks, { $now } here and { $issued_at } there
    .expired = the request has expired: ask again
    .life = a request lives at most { $life_s_max } seconds

request-id-reused = request_id: it stands for another request, which came before: use a new one
too-many-requests = one principal may not send as many requests: send this one again in { $retry_after_s } s
published = this office publishes its own figures, so none of its answers can be hidden in a region's
unavailable = the office cannot answer now; the same question may be asked again

dataset-unknown =
    .none = there is no dataset `{ $dataset }`
    .not-open = there is no dataset `{ $dataset }` that is open to { $principal }
forbidden = the office forbids this question by its rule `{ $rule }`, whatever it grants
principal-not-granted = no grant on `{ $dataset }` is to { $principal }
purpose-not-granted = purpose `{ $purpose }` is not granted
grant-not-valid = the grant is valid from { $from } to { $until }
measure-not-granted = measure `{ $measure }` is not granted
dimension-not-granted = dimension `{ $dimension }` is not granted
filter-not-granted = a condition on `{ $column }` is not granted
too-many-dimensions =
    .grant = { $asked } columns at once are asked for, conditions included; { $granted } are granted
    .plan = a margin has at most 4 dimensions
epsilon-per-query-exceeded =
    .above = epsilon { $epsilon } is above the { $granted } granted to a question
    .grant = grant `{ $grant }` allows no question at this price: name the epsilon
release-unknown = no such release is open to you

unit-not-counted = `{ $asked }` is not what this dataset counts: ask for `{ $units }`
not-a-number = column `{ $column }` holds no numbers: it is neither `integer` nor `amount`
bins-not-declared = column `{ $column }` has no `bins` in the policy, so there is no histogram of it
candidates-not-declared = column `{ $column }` has no `candidates` in the policy, so there are no quantiles of it
quantile-out-of-range = a quantile names one share or more between 0 and 1, of at most six decimals: quantile({ $column },0.5)
quantile-per-office = `{ $measure }` is chosen at each office and cannot be added up: lay the answer out by office, or ask for `histogram({ $column })`, from which quantiles of all offices together can be computed
share-by-itself = `share({ $column })` is asked by margins without `{ $column }`
keys-not-open = `keys({ $column })` is asked of an `open` column, for the total only
delta-not-granted = `keys({ $column })` spends delta: it needs a zCDP account and a grant with `delta_per_query`
sum-could-overflow = `{ $measure }` could overflow: rows are fewer than { $rows_below } and each counts up to { $magnitude }; a smaller `rows_below` in the policy, or tighter bounds, make it possible
precision-not-foreseen = the error of `{ $measure }` depends on the data: ask for the precision of a count or a sum, or name an epsilon
precision-out-of-range =
    .out-of-reach = no epsilon up to 100 is precise enough
    .precision = a precision is a half-width of one unit or more (1 of a count, the last decimal of a sum) and a confidence between 0 and 0.999999
epsilon-out-of-range =
    .range = epsilon must be above 0, at most 100 and no finer than a billionth
    .conversion = epsilon { $epsilon } cannot be converted to rho at the account's delta
    .too-thin = the price is too small to be shared among { $margins } margins
    .too-noisy = the noise of `{ $measure }` would be too large to be drawn at this price: name a larger epsilon, or ask the office for tighter bounds
column-not-declared = column `{ $column }` is not declared
not-a-dimension = column `{ $column }` has no keys to group by
too-many-margins =
    .measure = `{ $measure }` is asked by too many margins or dimensions at once: ask several questions
    .in-all = the question has { $margins } margins over all its measures, more than 128: ask several questions
too-many-measures = the question has { $measures } measures, more than 64: ask several questions
too-many-searches = the question asks for `keys` of { $searches } columns: ask for one at a time
too-many-selections = the question chooses { $selections } quantiles among { $weighed } candidates in all, more than 5000000: ask for fewer shares, or by fewer keys
too-much-memory = the question takes { $bytes } bytes of the gateway's memory, more than 83886080: ask for fewer measures at once, or by fewer keys
too-many-cells =
    .cells = the question has { $cells } cells, more than the 250000 that a release may hold
    .integers = the question counts { $integers } integers in all, more than 5000000: ask for fewer quantiles at once, or by fewer keys
    .layout = the answer's layout takes { $bytes } bytes, more than 1048576: ask by fewer keys
    .bytes = the answer could have { $bytes } bytes, more than the { $bytes_max } that it may have: ask by fewer or shorter keys
    .tables = the combined tables are larger than a coordinator makes: ask for the members' answers alone (`members_only`) and combine them yourself
filter-out-of-range = the condition on `{ $column }` is not in its declared values
version-not-live =
    .asked = version `{ $asked }` is asked for, `{ $live }` is live
    .gone = this request was charged under version `{ $version }` and terms of then, and one of the two is not in force any more: ask anew

budget-exceeded =
    .pool-exceeded = the pool of `{ $dataset }` has { $left } left of { $limit } in its currency and the question costs { $price }; it renews with the calendar period that the policy names
    .grant-exceeded = the grant { $grant } of `{ $dataset }` has { $left } left of { $limit } in its currency and the question costs { $price }; it renews with the calendar period that the policy names
    .pool-not-pure = the pool of `{ $dataset }` counts pure epsilon and holds losses without a pure guarantee; it renews with the calendar period that the policy names
    .grant-not-pure = the grant { $grant } of `{ $dataset }` counts pure epsilon and holds losses without a pure guarantee; it renews with the calendar period that the policy names
    .pool-delta = the pool of `{ $dataset }` has no delta left; it renews with the calendar period that the policy names
    .grant-delta = the grant { $grant } of `{ $dataset }` has no delta left; it renews with the calendar period that the policy names

review-waiting = the office reviews this question before it answers: it waits as review { $review }, and nothing is charged. Ask again later; the office is asked to decide with `lango review`
review-rejected =
    .unsaid = the office has reviewed this question (review { $review }) and does not answer it
    .why = the office has reviewed this question (review { $review }) and does not answer it: { $why }
answer-held = the answer is drawn and charged, and the office reviews it before it leaves: it waits as review { $review }. Ask again later, at no further charge
answer-withheld =
    .unsaid = the office has reviewed the answer (review { $review }) and keeps it back; its charge stands
    .why = the office has reviewed the answer (review { $review }) and keeps it back; its charge stands: { $why }
reviews-full = { $most } of your questions wait for the office's review already: wait until it has decided some of them

not-administrator = this serves the office's administrators alone, whom the gateway's configuration lists under `[administration]`
not-auditor = this serves the office's auditors alone, whom the gateway's configuration lists under `[audit]`
act-done = this signed act came before and was done: it is good once, so sign another
review-unknown = there is no such review: `lango review list --all` prints them
review-step = a review that is { $from } cannot be { $step }
review-lapses = it cannot be approved: { $why }
review-own = the question is of an analyst with your name, and nobody decides on their own questions: have another administrator decide
policy-not-waiting =
    .none = no change of the policy waits for signatures: `lango policy status` says what is in force and what is wrong with the folder
    .other = another change of the policy waits for signatures, whose digest is { $waiting }: compare it with what you read, `lango policy check FOLDER` prints the digest of a folder
policy-signed-already = you have signed this policy already: it waits for another administrator

# A code of a later version, or a case of one.
unknown-refusal = refused as `{ $code }`, which this version has no words for
