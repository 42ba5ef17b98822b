package hub

// A ring is a queue without a bound. Its zero value is empty.
type ring[T any] struct {
	all  []T // its length is a power of two
	head int
	n    int
}

// keepRing is how long a ring may be to be kept while it is empty.
const keepRing = 8

func (q *ring[T]) at(i int) *T { return &q.all[(q.head+i)&(len(q.all)-1)] }

func (q *ring[T]) push(v T) {
	q.grow()
	q.n++
	*q.at(q.n - 1) = v
}

// pop returns what was pushed first; there must be something.
func (q *ring[T]) pop() (v T) {
	var none T
	v, *q.at(0) = *q.at(0), none
	q.head, q.n = (q.head+1)&(len(q.all)-1), q.n-1
	if q.n == 0 && len(q.all) > keepRing {
		*q = ring[T]{}
	}
	return v
}

// first returns what pop would; there must be something.
func (q *ring[T]) first() T { return *q.at(0) }

// unpop undoes pop.
func (q *ring[T]) unpop(v T) {
	q.grow()
	q.head, q.n = (q.head-1)&(len(q.all)-1), q.n+1
	*q.at(0) = v
}

// grow makes room for one more.
func (q *ring[T]) grow() {
	if q.n < len(q.all) {
		return
	}
	all := make([]T, max(2*q.n, 2))
	n := copy(all, q.all[q.head:])
	copy(all[n:], q.all[:q.head])
	q.all, q.head = all, 0
}

// A queue is what waits for a member.
type queue struct {
	ring[*parcel]
	size int // of all of it
}

func (q *queue) push(p *parcel) {
	q.ring.push(p)
	q.size += p.size
}

func (q *queue) pop() *parcel {
	p := q.ring.pop()
	q.size -= p.size
	return p
}

func (q *queue) unpop(p *parcel) {
	q.ring.unpop(p)
	q.size += p.size
}
