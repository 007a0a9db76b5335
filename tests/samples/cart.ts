/** A small shopping cart: a TypeScript sample for demos and tests. */

export interface Item {
  name: string;
  price: number;
  quantity: number;
}

export class Cart {
  private items: Item[] = [];

  constructor(public readonly customer: string) {}

  add(item: Item): void {
    const existing = this.items.find((other) => other.name === item.name);
    if (existing) {
      existing.quantity += item.quantity;
    } else {
      this.items.push({ ...item });
    }
  }

  remove(name: string): void {
    this.items = this.items.filter((item) => item.name !== name);
  }

  total(): number {
    return this.items.reduce((sum, item) => sum + item.price * item.quantity, 0);
  }

  isEmpty(): boolean {
    return this.items.length === 0;
  }
}

export function formatPrice(amount: number, currency = "EUR"): string {
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(amount);
}
