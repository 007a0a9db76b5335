package cart

type Cart struct {
	Items []string
}

func New(size int) *Cart { return &Cart{} }

func (c *Cart) Add(name string, price float64) error { return nil }
