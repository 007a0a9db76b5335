package main

import "example.com/shop/cart"

func main() {
	c := cart.New(3)
	c.Add(▏)
}
