export interface User {
  id: number;
  name: string;
}

export class Api {
  constructor(private base: string, private retries = 3) {}
  async user(id: number, options?: { fresh: boolean }): Promise<User> {
    return fetch(this.base);
  }
}
