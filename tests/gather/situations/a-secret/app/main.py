from app.config import API_KEY, connect

connect(▏)
