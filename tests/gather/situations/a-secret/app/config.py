API_KEY = "sk-proj-Ab3dEf6hIj9kLm2nOp5qRs8tUv1wXy4z"


def connect(url: str, key: str = API_KEY) -> None:
    pass
