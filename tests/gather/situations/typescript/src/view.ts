import { Api } from './api';

export async function show(api: Api) {
  const user = await api.user(▏);
  return user.name;
}
